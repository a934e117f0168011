# The servers that .ci/run tests against; sourced by it. Expects $work (a directory), $master_key and $sidecar_key.
# shellcheck shell=bash disable=SC2154

# With it LiteLLM signs who asks.
identity_secret="a secret of 32 bytes for the tests"

# json FIELD: that text field of the JSON object on standard input.
json() {
  # shellcheck disable=SC2016 # the template string is JavaScript's
  node -e '
    const value = JSON.parse(require("node:fs").readFileSync(0, "utf8"))[process.argv[1]];
    if (typeof value !== "string") throw new Error(`no ${process.argv[1]} in the answer`);
    console.log(value);
  ' "$1"
}

# The models behind the proxy: models.py embeds and reranks, the provider of the tests chats. Sets models_url and
# provider_url.
start_models() {
  local models provider
  read -r models provider < <(free_ports 2)
  models_url=http://127.0.0.1:$models
  provider_url=http://127.0.0.1:$provider
  background "$work/models.log" "$CI_CACHE/litellm/bin/python" -B "$ci/models.py" "$models"
  wait_for "$models_url/health" "$work/models.log"
  background "$work/provider.log" node --import tsx test/contract/litellm/provider.ts "$provider"
  wait_for "$provider_url/calls" "$work/provider.log"
}

# start_sidecar DATABASE_URL: the server under test as an operator runs it. It may start before the proxy, which it
# needs only to embed. Sets sidecar_url and proxy_url.
start_sidecar() {
  local sidecar
  read -r sidecar proxy_port < <(free_ports 2)
  sidecar_url=http://127.0.0.1:$sidecar
  proxy_url=http://127.0.0.1:$proxy_port
  background "$work/sidecar.log" env DATABASE_URL="$1" HOST=127.0.0.1 PORT="$sidecar" SERVER_API_KEY="$sidecar_key" DATA_DIR="$work/data" \
    LITELLM_PROXY_URL="$proxy_url" LITELLM_MASTER_KEY="$master_key" KEY_CACHE_SECONDS=2 EMBEDDING__MODEL=all-minilm-l6-v2 EMBEDDING__DIMENSIONS=384 \
    CHAT_MODEL=openai/gpt-4o-mini LITELLM_IDENTITY_SECRET="$identity_secret" node dist/cli/main.js serve
  wait_for "$sidecar_url/readyz" "$work/sidecar.log"
}

# A server without a database or models, as on a bare machine: the corpus scores how it reads documents, not a model.
# Sets bare_url.
start_bare_server() {
  local port
  port=$(free_ports 1)
  bare_url=http://127.0.0.1:$port
  background "$work/bare.log" env HOST=127.0.0.1 PORT="$port" SERVER_API_KEY="$sidecar_key" DATA_DIR="$work/bare" node dist/cli/main.js serve
  wait_for "$bare_url/readyz" "$work/bare.log"
}

# litellm_config: the proxy's configuration, with the addresses of the servers above.
litellm_config() {
  sed -e "s|__MODELS__|$models_url|g" -e "s|__PROVIDER__|$provider_url|g" -e "s|__MASTER_KEY__|$master_key|g" \
    -e "s|__SIDECAR__|$sidecar_url|g" -e "s|__SIDECAR_KEY__|$sidecar_key|g" "$ci/litellm.config.yaml"
}

# start_proxy: with the configuration in $work/litellm.yaml, on $litellm_database. What has no key of its own in the
# registry is asked for with $identity_key, so it acts as whoever asks LiteLLM.
start_proxy() {
  VECTOR_STORE_API_BASE=$sidecar_url,$provider_url LITELLM_IDENTITY_SECRET=$identity_secret \
    PG_VECTOR_API_BASE=$sidecar_url PG_VECTOR_API_KEY=$identity_key HOSTED_VLLM_API_BASE=$models_url HOSTED_VLLM_API_KEY=sk-none \
    start_litellm "$work/litellm.yaml" "$proxy_port" "$work/litellm.log" "$litellm_database"
}

# start_proxy_with_stores POSTGRES_URL: does what an operator does: creates the stores through LiteLLM, writes them into
# its vector_store_registry and restarts it. LiteLLM gets its own database on that server. Sets store_ids.
start_proxy_with_stores() {
  local name id base key metadata ids=
  "$postgres_bin/psql" -Xq -d "$1" -c "CREATE DATABASE litellm"
  litellm_database=${1%/*}/litellm
  litellm_config >"$work/litellm.yaml"
  # LiteLLM looks for callbacks beside its configuration.
  cp chart/files/vector_store_identity.py test/contract/callback/saboteur.py "$work/"
  identity_key=$(DATABASE_URL=$1 LITELLM_IDENTITY_SECRET=$identity_secret node dist/cli/main.js keys create litellm --scope write --identity-required)
  start_proxy
  for name in plain version errors chatPlain chatVersion plainLife versionLife documents reranked wrongKey; do
    metadata='"made": "through LiteLLM"'
    if [ "$name" = reranked ]; then metadata+=', "rerank_model": "rerank"'; fi
    id=$(curl -sS -m 60 "$proxy_url/v1/vector_stores" -H "Authorization: Bearer $master_key" -H "Content-Type: application/json" \
      -d "{\"name\": \"$name\", \"custom_llm_provider\": \"pg_vector\", \"metadata\": {$metadata}}" | json id)
    ids+="\"$name\": \"$id\", "
    base=$sidecar_url
    key=$sidecar_key
    case $name in
      # The command's output starts the registry, including the line above the list.
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
  # shellcheck disable=SC2034 # read by .ci/run
  store_ids="{$ids\"unknown\": \"vs_00000000000070008000000000000000\", \"adopted\": \"09beee6f-ed62-47c6-a161-dea9018a5a40\"}"
  stop_litellm
  start_proxy
}

# begin_proxy POSTGRES_URL: start_proxy_with_stores beside the steps that follow, because LiteLLM keeps one core busy
# for minutes until it has started twice. await_proxy waits for it.
begin_proxy() {
  (
    # shellcheck disable=SC2030 # those of the subshell alone
    process_ids=()
    trap 'stop_processes; exit 143' TERM
    start_proxy_with_stores "$1"
    printf '%s\n' "$litellm_pid" "$store_ids" >"$work/proxy"
  ) >"$work/proxy.log" 2>&1 </dev/null &
  beginning=$!
  # shellcheck disable=SC2031 # as they were before the subshell
  process_ids+=("$beginning")
}

# await_proxy: sets store_ids.
await_proxy() {
  wait "$beginning" || {
    tail -n 30 "$work/proxy.log" >&2
    return 1
  }
  { read -r litellm_pid && read -r store_ids; } <"$work/proxy"
  process_ids+=("$litellm_pid")
}

# registry_entry NAME ID API_BASE KEY [PROVIDER]
registry_entry() {
  printf '  - vector_store_name: "%s"\n    litellm_params:\n' "$1"
  printf '      %s: "%s"\n' vector_store_id "$2" custom_llm_provider "${5:-pg_vector}" api_base "$3" api_key "$4"
}
