#!/usr/bin/env bash
# All suites that use the database, on PostgreSQL through PgBouncer in transaction mode; .ci/run has a part of them.
# Arguments go to jest. Ends with jest's own count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/processes.sh
source .ci/processes.sh
# shellcheck source=.ci/postgres.sh
source .ci/postgres.sh
# shellcheck source=.ci/pgbouncer.sh
source .ci/pgbouncer.sh
trap 'stop_pgbouncer; stop_all_postgres' EXIT

read -r server_port pooler_port < <(free_ports 2)
start_postgres "$server_port"
start_pgbouncer "$pooler_port" "$server_port"
TEST_DATABASE_URL=$pgbouncer_url TEST_DIRECT_DATABASE_URL=$postgres_url npm test -- "$@"
