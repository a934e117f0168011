/**
 * How providers say that one text is longer than their model reads. llama.cpp and Ollama say it with status 500, others
 * with 400, 413 or 422; LiteLLM keeps the sentence and wraps it in its own.
 */
const sentences = [
  /context_length_exceeded|ContextWindowExceeded|exceed_context_size/i,
  // OpenAI: "maximum context length is", "maximum input length is"; vLLM: "longer than the maximum model length".
  /maximum (context|input|sequence|model) length|max_model_len/i,
  // Ollama, llama.cpp, Anthropic, LiteLLM's list: "exceeds the available context size", "exceed context limit".
  /(exceeds?|longer than) (the |maximum |model'?s |available |maximum )*context[ _](length|size|window|limit)/i,
  /input( \(\d+ tokens\))? is too large to process/i, // llama.cpp
  /too big compared to KV size/i, // llama.cpp
  /context the overflows|loaded with context length of only/i, // LM Studio
  /must have less than \d+ (tokens|characters)/i, // text-embeddings-inference
  /too many (input )?tokens/i, // Titan, Cohere, Voyage
  /expected maxLength: \d+|string_above_max_length|string too long/i, // Cohere on Bedrock, OpenAI
  /\b(input|prompt|text|sequence)( text| length)?( is| was)? too long\b/i, // Bedrock, Anthropic, Vertex AI, Databricks
  /exceeds? (the )?maximum (allowed )?(token|number of tokens|length of)/i, // NVIDIA NIM, Gemini, Jina
  /token count is \d+ but the model supports/i, // Vertex AI
  /cannot exceed \d+ tokens|exceeding max \d+ tokens|must be <= \d+ tokens/i, // Jina, Mistral, Together
  /reduce (the length of the|your) (input|prompt|messages)/i, // Groq, vLLM
  /size of tensor a \(\d+\) must match the size of tensor b/i, // sentence-transformers without truncation
];

/** Bedrock's "Too many tokens, please wait" and limits per minute are about a rate, which waiting cures. */
const aboutRate = /per (second|minute|hour|day)|please wait|rate.?limit|quota|\b[TR]PM\b/i;

interface Said {
  readonly kind: string;
  readonly status: number;
  readonly message: string;
  readonly code: string | null;
  readonly type: string | null;
}

/**
 * Whether a provider's answer says that a text of the request is longer than the model reads, by its words as well as
 * by its status: it is the sender's to fix, not an outage. The caller has excluded refusals of a key.
 */
export function saysTooLong({ kind, status, message, code, type }: Said): boolean {
  if (kind !== "status" || !(status >= 500 || [400, 413, 422].includes(status))) return false;
  const said = `${code ?? ""} ${type ?? ""} ${message}`;
  return !aboutRate.test(said) && sentences.some((sentence) => sentence.test(said));
}
