#!/usr/bin/env bash
# Reads docker-compose.yml with Docker's own compose, which needs no container engine for that: its schema, its
# variables, that no key has a default, and that the program knows every setting. Ends with `N passed, N failed`.
#
# Needs Python: compose is available as a Python package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/checks.sh
source .ci/checks.sh
# shellcheck source=.ci/cache.sh
source .ci/cache.sh
work=$(mktemp -d)
keys=(POSTGRES_PASSWORD=p LITELLM_MASTER_KEY=sk-m SERVER_API_KEY=sk-s PROVIDER_API_KEY=k)

finish() {
  local code=$?
  trap - EXIT
  rm -rf "$work"
  total "$code"
}
trap finish EXIT

# compose VARIABLE…: the file with nothing but these variables, as JSON. The package's own command would lose the exit
# code.
compose() { env -i "$@" "$CI_CACHE"/checkers/lib/python3*/site-packages/compose/docker-compose --env-file /dev/null -f docker-compose.yml config --format json; }

without() {
  local each others=()
  for each in "${keys[@]}"; do
    if [ "${each%%=*}" != "$1" ]; then others+=("$each"); fi
  done
  compose "${others[@]}"
}

settings_exist() {
  compose "${keys[@]}" | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["services"]["vector-store"]["environment"]))' |
    LC_ALL=C sort >"$work/written" && [ -s "$work/written" ] || return
  sed -nE 's/^  ([A-Z][A-Z0-9_]+): .*/\1/p' src/process/settings.ts | LC_ALL=C sort >"$work/known"
  ! LC_ALL=C comm -23 "$work/written" "$work/known" | grep .
}

venv checkers

check "it is read" compose "${keys[@]}"
for each in "${keys[@]}"; do
  check "${each%%=*} has no default" refused "Set ${each%%=*} in .env" without "${each%%=*}"
done
check "the program knows every setting in it" settings_exist
