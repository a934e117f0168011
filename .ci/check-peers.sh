#!/usr/bin/env bash
# The tests that other projects wrote for their own servers, unchanged, against ours: openai-python's for vector stores,
# files and uploads, OGX's for vector stores, and openai-node's. The latter need github.com, or OPENAI_NODE_TESTS, a
# directory with `tests/api-resources` of openai-node. Prints each suite's own count. Ends with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

# shellcheck source=.ci/checks.sh
source .ci/checks.sh
# shellcheck source=.ci/processes.sh
source .ci/processes.sh
# shellcheck source=.ci/postgres.sh
source .ci/postgres.sh
work=$(mktemp -d)
key=sk-peers

finish() {
  local code=$?
  trap - EXIT
  stop_processes
  stop_all_postgres
  rm -rf "$work"
  total "$code"
}
trap finish EXIT

# suite NAME PATTERN COMMAND…: adds the counts of the last line that matches.
suite() {
  local name=$1 pattern=$2 line good bad code=0
  shift 2
  title "$name"
  ("$@") >"$work/suite.log" 2>&1 || code=$?
  line=$(sed 's/\x1b\[[0-9;]*m//g' "$work/suite.log" | grep -E "$pattern" | tail -n 1) || true
  good=$(grep -oE '[0-9]+ passed' <<<"$line" | grep -oE '[0-9]+') || good=0
  bad=$(grep -oE '[0-9]+ (failed|error)' <<<"$line" | grep -oE '[0-9]+' | awk '{sum += $1} END {print sum}') || true
  bad=${bad:-0}
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  if [ "$bad" -gt 0 ]; then
    grep -E '^(FAILED|ERROR)|^E  |●' "$work/suite.log" | head -n "${PEERS_LINES:-60}" || tail -n 30 "$work/suite.log"
  fi
  echo "$name: $line"
  passed=$((passed + good))
  failed=$((failed + bad))
}

provide peers
venv peers-python
[ -f dist/cli/main.js ] || npm run build --silent
python=$CI_CACHE/peers-python/bin/python
read -r database_port port placeholder_port < <(free_ports 3)
start_postgres "$database_port"
url=http://127.0.0.1:$port
background "$work/server.log" env DATABASE_URL="$postgres_url" HOST=127.0.0.1 PORT="$port" SERVER_API_KEY="$key" \
  DATA_DIR="$work/data" EMBEDDING__DIMENSIONS=768 node dist/cli/main.js serve
wait_for "$url/readyz" "$work/server.log"
placeholders=http://127.0.0.1:$placeholder_port
background "$work/placeholders.log" \
  node --import tsx test/contract/peers/placeholders.ts "$placeholder_port" "$url" "$key"
wait_for "$placeholders/livez" "$work/placeholders.log"

openai_python() {
  cd "$CI_CACHE/peers/openai-3.52.0"
  TEST_API_BASE_URL=$placeholders/v1 "$python" -B -m pytest -p no:cacheprovider -o addopts= -q -rfE --tb=short \
    tests/api_resources/test_vector_stores.py tests/api_resources/vector_stores tests/api_resources/test_files.py \
    tests/api_resources/test_uploads.py tests/api_resources/uploads
}

# OGX's tests import its server and its clients; .ci/peers stands in for those, so that only ours answers. One is left
# out: it wants `rewrite_query` refused where no chat model is set, and openai-python's suite wants it answered. Three
# skip themselves: two have a chat model describe each chunk, one is not for OpenAI's client.
ogx() {
  cp -r "$PWD/.ci/peers" "$work/ogx"
  local tests=tests/integration source=$CI_CACHE/peers/ogx-1.0.4/tests/integration/vector_io
  cd "$work/ogx"
  mkdir -p "$tests/vector_io"
  mv conftest.py "$tests/conftest.py"
  touch tests/__init__.py "$tests/__init__.py" "$tests/vector_io/__init__.py"
  cp "$source"/test_{openai_vector_stores,vector_io_filters}.py "$tests/vector_io/"
  PYTHONPATH=$PWD PEER_URL=$url/v1 PEER_KEY=$key "$python" -B -m pytest -p no:cacheprovider -q -rfEs --tb=short \
    -k 'not search_with_rewrite_query' "$tests"
}

# npm's package has no tests: they come from a checkout, and run with jest and the package that are here.
openai_node() {
  local to=$work/node/tests/api-resources
  mkdir -p "$to"
  for each in vector-stores files.test.ts uploads; do cp -r "$1/tests/api-resources/$each" "$to/"; done
  # Newer versions have helpers of their own there.
  [ ! -d "$1/tests/utils" ] || cp -r "$1/tests/utils" "$work/node/tests/"
  ln -s "$PWD/node_modules" "$work/node/node_modules"
  cd "$work/node"
  cat >jest.config.json <<'JSON'
{"transform": {"[.]ts$": ["@swc/jest", {"jsc": {"parser": {"syntax": "typescript"}, "target": "es2022"}}]}}
JSON
  TEST_API_BASE_URL=$placeholders/v1 node_modules/.bin/jest --ci --maxWorkers=1
}

# The tests of that version of the package which is installed here.
checkout_of_openai_node() {
  local version target=$CI_CACHE/peers/openai-node
  version=v$(node -p 'require("./node_modules/openai/package.json").version')
  [ -d "$target" ] || timeout 60 git clone -q --depth 1 --branch "$version" \
    https://github.com/openai/openai-node "$target" 2>"$work/clone.log" || return
  echo "$target"
}

suite "openai-python 3.52.0" '^=* ?[0-9]+ (passed|failed)' openai_python
suite "OGX 1.0.4" '^=* ?[0-9]+ (passed|failed)' ogx
if node_tests=${OPENAI_NODE_TESTS:-$(checkout_of_openai_node)}; then
  suite "openai-node" '^Tests: ' openai_node "$node_tests"
else
  title "openai-node"
  echo "Skipped: github.com/openai/openai-node is out of reach, and OPENAI_NODE_TESTS names no copy of its tests."
  tail -n 2 "$work/clone.log"
fi
