/** The entry of LiteLLM's vector_store_registry, as `vector-store litellm-config` prints it. */
export function registry({ id, name }: { id: string; name: string }, apiBase: string): string {
  const isLocal = /^https?:\/\/(127\.|localhost\b|\[::1\])/.test(apiBase);
  return [
    "# LiteLLM proxy, config.yaml. If the file already has a vector_store_registry, add only the list item.",
    "# On the proxy, set PG_VECTOR_API_KEY to a key that may only search, because every key of the proxy's users",
    "# acts with it:",
    "#   vector-store keys create 'litellm registry' --scope search",
    "vector_store_registry:",
    "  # api_base is without /v1: LiteLLM appends /v1/vector_stores.",
    ...(isLocal ? ["  # This address works only where proxy and service share one machine."] : []),
    `  - vector_store_name: ${quoted(name || id)}`,
    "    litellm_params:",
    `      vector_store_id: ${quoted(id)}`,
    '      custom_llm_provider: "pg_vector"',
    `      api_base: ${quoted(apiBase)}`,
    "      api_key: os.environ/PG_VECTOR_API_KEY",
    "",
  ].join("\n");
}

/** A double-quoted scalar of YAML, which reads JSON's escapes; marks that break or turn lines are escaped, too. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
