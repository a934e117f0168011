#!/usr/bin/env bash
# The whole suite on a real PostgreSQL through PgBouncer in transaction mode; .ci/run has the part of it that is about the database. Ends with
# jest's own count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

kit=$PWD/../shared/kit
server_port=${SERVER_PORT:-55471}
# shellcheck source=.ci/pgbouncer.sh
source .ci/pgbouncer.sh
trap 'stop_pgbouncer; "$kit/postgres.sh" stop "$server_port"' EXIT

direct=$("$kit/postgres.sh" start "$server_port" | sed -n 's/^DATABASE_URL=//p')
start_pgbouncer "${PGBOUNCER_PORT:-56471}" "$server_port"
TEST_DATABASE_URL=$pgbouncer_url TEST_DIRECT_DATABASE_URL=$direct npm test -- "$@"
