#!/usr/bin/env bash
# Attacks real server processes: kills them while they store, sends requests that nobody should, loads them for long.
# Arguments go to bench/faults: names of parts, --minutes, --seed. Without any it takes an hour. Ends with
# `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/processes.sh
source .ci/processes.sh
# shellcheck source=.ci/postgres.sh
source .ci/postgres.sh
trap stop_all_postgres EXIT

start_postgres "$(free_ports 1)"
node --import tsx bench/faults/main.ts --database-url "$postgres_url" "$@"
