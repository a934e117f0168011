# PgBouncer in transaction mode in front of a PostgreSQL; sourced by .ci/run and .ci/check-pgbouncer.sh.
# shellcheck shell=bash

pgbouncer_directory=

# start_pgbouncer PORT SERVER_PORT: sets pgbouncer_url.
start_pgbouncer() {
  local port=$1 server_port=$2 as=()
  if ! command -v pgbouncer >/dev/null; then
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends pgbouncer; } >/dev/null
    # The package starts its own service.
    service pgbouncer stop >/dev/null 2>&1 || true
  fi
  pgbouncer_directory=$(mktemp -d)
  cat >"$pgbouncer_directory/pgbouncer.ini" <<INI
[databases]
* = host=127.0.0.1 port=$server_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $pgbouncer_directory/users
auth_user = postgres
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
server_idle_timeout = 5
logfile = $pgbouncer_directory/log
pidfile = $pgbouncer_directory/pid
INI
  echo '"postgres" ""' >"$pgbouncer_directory/users"
  # It refuses to run as root.
  if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$pgbouncer_directory"
    as=(setpriv --reuid nobody --clear-groups)
  fi
  ${as[@]+"${as[@]}"} pgbouncer -q -d "$pgbouncer_directory/pgbouncer.ini"
  # shellcheck disable=SC2034 # read by the scripts that source this
  pgbouncer_url="postgresql://postgres@127.0.0.1:$port/postgres?pgbouncer=true"
}

stop_pgbouncer() {
  [ -n "$pgbouncer_directory" ] || return 0
  if [ -s "$pgbouncer_directory/pid" ]; then kill "$(cat "$pgbouncer_directory/pid")" 2>/dev/null || true; fi
  rm -rf "$pgbouncer_directory"
}
