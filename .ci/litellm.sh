# A real LiteLLM proxy; sourced by .ci/run and the checks, after processes.sh and postgres.sh.
# shellcheck shell=bash disable=SC2154

litellm_pid=

# start_litellm CONFIG PORT LOG [DATABASE_URL]: with a database, LiteLLM keeps virtual keys, teams and users in it;
# without one it knows only its master key. Creates LiteLLM's tables in an empty database.
start_litellm() {
  local config=$1 port=$2 log=$3 database=${4:-}
  venv litellm
  if [ -n "$database" ]; then prepare_litellm_database "$database" "$log"; fi
  (
    # Otherwise LiteLLM fetches model prices from the internet.
    export LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONUNBUFFERED=1
    unset DATABASE_URL
    if [ -n "$database" ]; then
      # shellcheck source=.ci/prisma/environment.sh
      source "$ci/prisma/environment.sh"
      export DATABASE_URL=$database DISABLE_SCHEMA_UPDATE=true LITELLM_SALT_KEY=sk-salt
    fi
    exec "$CI_CACHE/litellm/bin/litellm" --config "$config" --host 127.0.0.1 --port "$port"
  ) >"$log" 2>&1 </dev/null &
  litellm_pid=$!
  process_ids+=("$litellm_pid")
  wait_for "http://127.0.0.1:$port/health/readiness" "$log"
}

# prepare_litellm_database DATABASE_URL LOG: creates the tables by LiteLLM's migrations, which are plain SQL. LiteLLM
# itself would need Prisma's schema engine, a binary that no package registry carries.
prepare_litellm_database() {
  local migration
  provide prisma "$ci"/requirements-litellm.txt "$ci"/prisma/*
  if [ "$("$postgres_bin/psql" -XAtq -d "$1" -c "SELECT to_regclass('\"LiteLLM_VerificationToken\"')")" != "" ]; then return; fi
  for migration in "$CI_CACHE"/litellm/lib/python3*/site-packages/litellm_proxy_extras/migrations/*/migration.sql; do
    cat "$migration"
    echo
  done | "$postgres_bin/psql" -Xq -v ON_ERROR_STOP=1 -d "$1" >"$2" 2>&1 || {
    tail -n 5 "$2" >&2
    return 1
  }
}

stop_litellm() {
  [ -n "$litellm_pid" ] || return 0
  stop_process "$litellm_pid"
  litellm_pid=
}
