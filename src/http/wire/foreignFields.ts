/** A field that is not ours, but that a known client sends. It is ignored where it is listed, and nowhere else. */
interface ForeignField {
  /** Its path, with `[]` for any index. */
  path: string;
  /** The routes that take it: method and path, as in `post /vector_stores`. */
  routes: readonly string[];
  /** Who sends it, and why ignoring it loses nothing that narrows a request. */
  sentBy: string;
  /** What its sender is told in the answer's header, if it would have changed the result. */
  warning?: string;
}

const store = "/vector_stores/:vector_store_id";
const stores = ["get /vector_stores", "post /vector_stores", `get ${store}`, `post ${store}`, `delete ${store}`];
const reranks = ["post /rerank", "post /v2/rerank"];
const searches = [`post ${store}/search`, `post ${store}/rag`, "post /rag"];
const files = [
  ...["get /files", "post /files", "get /files/:file_id", "delete /files/:file_id", "get /files/:file_id/content"],
  ...[`post ${store}/files`, `get ${store}/files`, `get ${store}/files/:file_id`, `delete ${store}/files/:file_id`],
  ...[`get ${store}/files/:file_id/content`, `post ${store}/file_batches`],
];

const ogxRanking = (name: string): ForeignField => ({
  path: `ranking_options.${name}`,
  routes: searches,
  sentBy: "OGX (Llama Stack), class SearchRankingOptions: tunes its own rankers, removes no result",
  warning: `ranking_options.${name} is not used; ranking_options.hybrid_search sets the weights of hybrid search`,
});

const ofMessages = (name: string, sender: string): ForeignField => ({
  path: `messages[].${name}`,
  routes: [`post ${store}/rag`, "post /rag"],
  sentBy: `${sender}: part of an earlier answer that is sent back as history`,
});

const ofCohere = (name: string): ForeignField => ({
  path: name,
  routes: reranks,
  sentBy: "Cohere's and LiteLLM's clients of /v1/rerank: about documents, which a search of a store does not send",
});

const ofRows = (name: string, warning?: string): ForeignField[] => {
  const sentBy = "Clients that send a row back as this service's list has answered it, to copy or to change it";
  const more = { sentBy, ...(warning !== undefined && { warning }) };
  return [
    { path: name, routes: [`post ${store}/embeddings`], ...more },
    { path: `embeddings[].${name}`, routes: [`post ${store}/embeddings/batch`], ...more },
  ];
};

/**
 * The one list of fields that are ignored. Never add one that narrows a request (a filter, a limit, an id, a name): its
 * sender would get, or delete, more than was asked for.
 */
export const foreignFields: readonly ForeignField[] = [
  {
    path: "custom_llm_provider",
    routes: [...stores, ...searches, ...files, ...reranks],
    sentBy: "Scripts written for the LiteLLM proxy, whose own API takes it to choose a provider",
  },
  {
    path: "provider_id",
    routes: ["post /vector_stores"],
    sentBy: "OGX (Llama Stack), extra_body of vector_stores.create: its own choice of a database",
  },
  {
    path: "provider_vector_store_id",
    routes: ["post /vector_stores"],
    sentBy: "OGX (Llama Stack), extra_body of vector_stores.create: the id in that database",
    warning: "provider_vector_store_id is not used; the store's id is in the answer",
  },
  {
    path: "options",
    routes: [`post ${store}/files`],
    sentBy: "OGX (Llama Stack), class OpenAIAttachFileRequest: hints for its own file processors",
    warning: "options are not used; chunking_strategy sets the size of chunks",
  },
  ...["alpha", "impact_factor", "weights", "model"].map(ogxRanking),
  ...["refusal", "annotations", "audio", "function_call", "tool_calls"].map((name) =>
    ofMessages(name, "OpenAI's SDKs (class ChatCompletionMessage) and LangChain"),
  ),
  ...["provider_specific_fields", "reasoning_content", "thinking_blocks", "images"].map((name) =>
    ofMessages(name, "LiteLLM (class Message)"),
  ),
  ...["object", "vector_store_id", "created_at"].flatMap((name) => ofRows(name)),
  ...ofRows("file_id", "file_id is not used: only attaching a file makes chunks of it"),
  ...["return_documents", "max_chunks_per_doc", "max_tokens_per_doc", "rank_fields"].map(ofCohere),
];

const listed = new Map(
  foreignFields.flatMap((field) => field.routes.map((route) => [`${route} ${field.path}`, field])),
);

/**
 * The entry of a field in the list; undefined if it is not foreign to this route.
 * @param route method and path
 * @param path of the field, with indices; in a stream of rows it begins with `line 3`
 */
export const foreignField = (route: string, path: string): ForeignField | undefined =>
  listed.get(`${route} ${path.replace(/^line \d+/, "embeddings[]").replaceAll(/\[\d+\]/g, "[]")}`);
