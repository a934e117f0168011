# A real LiteLLM proxy; sourced by .ci/run and the checks, after processes.sh and postgres.sh.
# shellcheck shell=bash disable=SC2154

# shellcheck source=.ci/cache.sh
source "$ci/cache.sh"
litellm_pid=

# start_litellm CONFIG PORT LOG [DATABASE_URL]: with the URL of a database it keeps virtual keys, teams and users in it; without one it knows
# its master key alone. An empty database is given LiteLLM's tables.
start_litellm() {
  local config=$1 port=$2 log=$3 database=${4:-} extras
  venv litellm
  (
    # The prices of models are fetched from the internet otherwise.
    export LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONUNBUFFERED=1
    unset DATABASE_URL
    if [ -n "$database" ]; then
      install prisma "$ci"/requirements-litellm.txt "$ci"/prisma/*
      # shellcheck source=.ci/prisma/environment.sh
      source "$ci/prisma/environment.sh"
      extras=$(echo "$CI_CACHE"/litellm/lib/python3*/site-packages/litellm_proxy_extras)
      # LiteLLM would have Prisma's schema engine do this, which is a binary that no package registry carries.
      if [ "$("$postgres_bin/psql" -XAtq -d "$database" -c "SELECT to_regclass('\"LiteLLM_VerificationToken\"')")" = "" ]; then
        for each in "$extras"/migrations/*/migration.sql; do cat "$each" && echo; done |
          "$postgres_bin/psql" -Xq -v ON_ERROR_STOP=1 -d "$database" >"$log.migrations" 2>&1
      fi
      export DATABASE_URL=$database DISABLE_SCHEMA_UPDATE=true LITELLM_SALT_KEY=sk-salt
    fi
    exec "$CI_CACHE/litellm/bin/litellm" --config "$config" --host 127.0.0.1 --port "$port"
  ) >"$log" 2>&1 </dev/null &
  litellm_pid=$!
  process_ids+=("$litellm_pid")
  wait_for "http://127.0.0.1:$port/health/readiness" "$log"
}

stop_litellm() {
  [ -n "$litellm_pid" ] || return 0
  stop_process "$litellm_pid"
  litellm_pid=
}
