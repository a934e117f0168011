# The servers that .ci/run tests against; sourced by it. Expects: $work (a directory of its own), $kit, $litellm_venv.
# shellcheck shell=bash

server_pids=()
postgres_port=

# Free ports on 127.0.0.1, below the range from which the system takes ports for outgoing connections.
free_ports() {
  node -e '
    const { createServer } = require("node:net");
    const found = new Set();
    const next = (left) => {
      if (left === 0) return console.log([...found].join(" "));
      const port = 18000 + Math.floor(Math.random() * 12000);
      const server = createServer();
      server.once("error", () => next(left));
      server.listen(port, "127.0.0.1", () => server.close(() => {
        if (found.has(port)) return next(left);
        found.add(port);
        next(left - 1);
      }));
    };
    next(Number(process.argv[1]));
  ' "$1"
}

# wait_for URL PID LOG: until the server answers; fails when its process ends or after two minutes.
wait_for() {
  local end=$((SECONDS + 120))
  until curl -sf -m 2 -o /dev/null "$1"; do
    if ! kill -0 "$2" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
      echo "no answer from $1; the end of its log:" >&2
      tail -n 30 "$3" >&2
      return 1
    fi
    sleep 0.2
  done
}

# json FIELD: that field of the JSON object on standard input.
json() {
  node -e '
    const value = JSON.parse(require("node:fs").readFileSync(0, "utf8"))[process.argv[1]];
    if (typeof value !== "string") throw new Error(`no ${process.argv[1]} in the answer`);
    console.log(value);
  ' "$1"
}

# venv DIRECTORY REQUIREMENTS: a Python environment with exactly these packages; nothing is fetched when they are there already.
venv() {
  local directory=$1 requirements=$2 python
  python=$(command -v python3.11 || command -v python3)
  if [ -e "$directory" ] && [ ! -O "$directory" ]; then
    echo "$directory belongs to another user; name another one in LITELLM_VENV or OPENAI_VENV" >&2
    return 1
  fi
  (
    if command -v flock >/dev/null; then
      exec 9>"$directory.lock"
      flock 9
    fi
    [ -x "$directory/bin/python" ] || "$python" -m venv "$directory"
    "$directory/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$requirements"
  )
}

start_postgres() {
  local port
  port=$(free_ports 1)
  # Known before the start, so that a start that is broken off is cleaned up as well.
  postgres_port=$port
  DATABASE_URL=$("$kit/postgres.sh" start "$port" | sed -n 's/^DATABASE_URL=//p' | tail -n 1)
  [ -n "$DATABASE_URL" ]
}

# The models: all-MiniLM-L6-v2 for embeddings and reranking, a chat model that repeats what it was told, and the tests' own provider.
start_models() {
  local minilm chat unused provider
  read -r minilm chat unused provider < <(free_ports 4)
  minilm_url=http://127.0.0.1:$minilm
  chat_url=http://127.0.0.1:$chat
  provider_url=http://127.0.0.1:$provider
  "$litellm_venv/bin/python" "$kit/litellm/minilm_server.py" "$minilm" >"$work/minilm.log" 2>&1 </dev/null &
  server_pids+=($!)
  wait_for "$minilm_url/health" $! "$work/minilm.log"
  PORT_UP=$chat PORT_SIDECAR=$unused LOG=$work/chat.jsonl node "$kit/litellm/upstream.mjs" >"$work/chat.log" 2>&1 </dev/null &
  server_pids+=($!)
  wait_for "$chat_url/v1/models" $! "$work/chat.log"
  node --import tsx test/contract/litellm/provider.ts "$provider" >"$work/provider.log" 2>&1 </dev/null &
  server_pids+=($!)
  wait_for "$provider_url/calls" $! "$work/provider.log"
}

# The server under test as an operator runs it. It may start before the proxy: it needs it only when it embeds.
start_sidecar() {
  local sidecar
  read -r sidecar proxy_port < <(free_ports 2)
  sidecar_url=http://127.0.0.1:$sidecar
  proxy_url=http://127.0.0.1:$proxy_port
  DATABASE_URL=$DATABASE_URL HOST=127.0.0.1 PORT=$sidecar SERVER_API_KEY=$sidecar_key DATA_DIR=$work/data \
    EMBEDDING__BASE_URL=$proxy_url EMBEDDING__API_KEY=$master_key EMBEDDING__MODEL=all-minilm-l6-v2 EMBEDDING__DIMENSIONS=384 \
    CHAT_MODEL=openai/gpt-4o-mini \
    node dist/cli/main.js serve >"$work/sidecar.log" 2>&1 </dev/null &
  server_pids+=($!)
  wait_for "$sidecar_url/readyz" $! "$work/sidecar.log"
}

# A server as on a bare machine: what is scored is the reading of documents, not a model.
start_bare_server() {
  local port
  port=$(free_ports 1)
  bare_url=http://127.0.0.1:$port
  HOST=127.0.0.1 PORT=$port SERVER_API_KEY=$sidecar_key DATA_DIR=$work/bare \
    node dist/cli/main.js serve >"$work/bare.log" 2>&1 </dev/null &
  server_pids+=($!)
  wait_for "$bare_url/readyz" $! "$work/bare.log"
}

# start_proxy CONFIG
start_proxy() {
  SIDECAR=$sidecar_url SIDECAR_KEY=$sidecar_key CONFIG=$1 RUN_DIR=$work HOSTED_VLLM_API_BASE=$minilm_url HOSTED_VLLM_API_KEY=sk-none \
    "$kit/litellm/start-litellm.sh" "$litellm_venv" "$proxy_port"
}

stop_proxy() {
  local pid_file=$work/litellm-${proxy_port:-}.pid pid end=$((SECONDS + 20))
  [ -s "$pid_file" ] || return 0
  pid=$(cat "$pid_file")
  rm -f "$pid_file"
  kill "$pid" 2>/dev/null || return 0
  # It is no child of this shell, and may stay as a zombie where nobody reaps: what is waited for is that it answers no more.
  while curl -s -m 2 -o /dev/null "$proxy_url/health/liveliness"; do
    if [ "$SECONDS" -ge "$end" ]; then kill -9 "$pid" 2>/dev/null || true; fi
    sleep 0.1
  done
}

# As an operator does it: make the stores through LiteLLM, write them into its vector_store_registry, start it again with that.
start_litellm_with_stores() {
  local name id base key metadata ids=
  sed -e "s|__CHAT__|$chat_url|g" -e "s|__MINILM__|$minilm_url|g" -e "s|__PROVIDER__|$provider_url|g" -e "s|__MASTER_KEY__|$master_key|g" \
    -e "s|__SIDECAR__|$sidecar_url|g" -e "s|__SIDECAR_KEY__|$sidecar_key|g" \
    .ci/litellm.config.yaml >"$work/litellm.yaml"
  start_proxy "$work/litellm.yaml"
  for name in plain version errors chatPlain chatVersion plainLife versionLife documents reranked wrongKey; do
    metadata='"made": "through LiteLLM"'
    if [ "$name" = reranked ]; then metadata+=', "rerank_model": "rerank"'; fi
    id=$(curl -sS -m 60 "$proxy_url/v1/vector_stores" -H "Authorization: Bearer $master_key" -H "Content-Type: application/json" \
      -d "{\"name\": \"$name\", \"custom_llm_provider\": \"pg_vector\", \"metadata\": {$metadata}}" | json id)
    ids+="\"$name\": \"$id\", "
    base=$sidecar_url
    key=$sidecar_key
    case $name in
      # The command's own words, the line above the list included, begin the registry.
      plain)
        node dist/cli/main.js litellm-config "$id" --url "$sidecar_url" --key "$sidecar_key" --name "$name" >>"$work/litellm.yaml"
        continue
        ;;
      version | chatVersion | versionLife) base=$sidecar_url/v1 ;;
      documents)
        registry_entry "$name" "$id" "$sidecar_url/v1" "$key" openai >>"$work/litellm.yaml"
        continue
        ;;
      wrongKey) key=sk-wrong ;;
    esac
    registry_entry "$name" "$id" "$base" "$key" >>"$work/litellm.yaml"
  done
  registry_entry unknown vs_00000000000070008000000000000000 "$sidecar_url" "$sidecar_key" >>"$work/litellm.yaml"
  registry_entry adopted 09beee6f-ed62-47c6-a161-dea9018a5a40 "$sidecar_url/" "$sidecar_key" >>"$work/litellm.yaml"
  store_ids="{$ids\"unknown\": \"vs_00000000000070008000000000000000\", \"adopted\": \"09beee6f-ed62-47c6-a161-dea9018a5a40\"}"
  stop_proxy
  start_proxy "$work/litellm.yaml"
}

# registry_entry NAME ID API_BASE KEY [PROVIDER]
registry_entry() {
  printf '  - vector_store_name: "%s"\n    litellm_params:\n' "$1"
  printf '      %s: "%s"\n' vector_store_id "$2" custom_llm_provider "${5:-pg_vector}" api_base "$3" api_key "$4"
}

stop_servers() {
  local pid
  stop_proxy
  for pid in ${server_pids[@]+"${server_pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${server_pids[@]+"${server_pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  server_pids=()
  if [ -n "$postgres_port" ]; then "$kit/postgres.sh" stop "$postgres_port" >/dev/null 2>&1 || true; fi
}
