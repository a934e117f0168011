import { describe, expect, test } from "@jest/globals";
import { ownWork } from "../../src/words/caller.js";
import { chat, rerank } from "./everyCall.js";
import { embeddings, errorOf, failure, litellm, sharedLitellm, startProvider } from "./support.js";

/** What providers really answer when one text is longer than the model reads. */
const sentences: [string, number, string][] = [
  ["llama.cpp", 500, "input is too large to process. increase the physical batch size"],
  [
    "llama.cpp, later",
    500,
    "input (1418 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
  ],
  [
    "llama.cpp, chat",
    400,
    "the request exceeds the available context size. try increasing the context size or enable context shift",
  ],
  ["llama-box", 500, "input prompt is too big compared to KV size, please increase KV size"],
  ["Ollama", 500, "the input length exceeds the context length"],
  ["Ollama, older", 400, "input length exceeds maximum context length"],
  [
    "Ollama through LiteLLM",
    500,
    'litellm.APIConnectionError: OllamaException - {"error":"the input length exceeds the context length"}. Received Model Group=embed\nAvailable Model Group Fallbacks=None LiteLLM Retried: 2 times, LiteLLM Max Retries: 3',
  ],
  [
    "llama.cpp through LiteLLM",
    500,
    "litellm.InternalServerError: InternalServerError: OpenAIException - input is too large to process. increase the physical batch size. Received Model Group=embed",
  ],
  [
    "OpenAI",
    400,
    "This model's maximum context length is 8192 tokens, however you requested 10001 tokens (10001 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
  ],
  ["OpenAI, later", 400, "Invalid 'input[0]': maximum input length is 8192 tokens."],
  [
    "OpenAI through LiteLLM",
    400,
    "litellm.ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: OpenAIException - This model's maximum context length is 8192 tokens",
  ],
  [
    "vLLM",
    400,
    "This model's maximum context length is 512 tokens. However, you requested 600 tokens in the input for embedding generation. Please reduce the length of the input.",
  ],
  ["vLLM, older", 400, "The decoder prompt (length 600) is longer than the maximum model length of 512."],
  ["text-embeddings-inference", 413, "Input validation error: `inputs` must have less than 512 tokens. Given: 534"],
  ["text-embeddings-inference, characters", 422, "`inputs` must have less than 32000 characters. Given: 67337"],
  ["Cohere", 400, "too many tokens: total number of tokens in the prompt cannot exceed 512 - received 600."],
  ["Titan", 400, "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9875"],
  ["Bedrock", 400, "BedrockException - Input is too long for requested model."],
  [
    "Cohere on Bedrock",
    400,
    "Malformed input request: #/texts/41: expected maxLength: 2048, actual: 2459, please reformat your input and try again.",
  ],
  [
    "Voyage",
    400,
    "The example at index 0 in your batch has too many tokens and does not fit into the model's context window of 4000 tokens.",
  ],
  ["NVIDIA NIM", 400, "Input length 600 exceeds maximum allowed token size 512"],
  ["Gemini", 400, "The input token count (20001) exceeds the maximum number of tokens allowed (2048)."],
  [
    "Vertex AI",
    400,
    "Unable to submit request because the input token count is 21000 but the model supports up to 20000.",
  ],
  ["Mistral", 400, "Input id 0 has 9000 tokens, exceeding max 8192 tokens."],
  ["Jina", 400, "Single text cannot exceed 8194 tokens. 8999 tokens given."],
  ["Anthropic", 400, "prompt is too long: 208310 tokens > 199999 maximum"],
  [
    "sentence-transformers",
    500,
    "The size of tensor a (600) must match the size of tensor b (512) at non-singleton dimension 1",
  ],
  [
    "LM Studio",
    400,
    "Trying to keep the first 6000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
  ],
  ["a code", 400, "Bad request"],
];

const more = (name: string) => (name === "a code" ? { code: "context_length_exceeded" } : {});

describe("a text that is longer than the model reads", () => {
  test.each(sentences)("%s (%i): 400 at once, without a retry, and no outage", async (name, status, message) => {
    await using provider = await startProvider(() => failure(status, message, more(name)));
    const { embedder, state } = litellm(provider, { retryBudgetMs: 60_000 });
    for (let n = 0; n < 6; n += 1) {
      const error = await errorOf(embedder.embedQuery("long"));
      expect(error).toMatchObject({ status: 400, code: "context_length_exceeded" });
      expect(error.message).toBe("The text is longer than the embedding model 'test-model' accepts.");
    }
    expect(provider.asked).toHaveLength(6);
    expect(state().breaker).toBe("closed");
  });

  test.each<[number, string]>([
    [500, "upstream request took too long"],
    [503, "Too many tokens, please wait before trying again."],
    [500, "CUDA out of memory"],
    [502, "Bad gateway"],
    [500, "litellm.Timeout: The operation timed out. context_window_fallbacks=None"],
  ])("%i %s stays an outage", async (status, message) => {
    await using provider = await startProvider(() => failure(status, message));
    expect((await errorOf(litellm(provider).embedder.embed(["a"]))).status).toBe(502);
  });

  test("a rate limit in tokens stays a rate limit", async () => {
    const message = "Rate limit reached: too many tokens per minute";
    await using provider = await startProvider(() => failure(429, message));
    expect((await errorOf(litellm(provider).embedder.embed(["a"]))).status).toBe(429);
  });

  test("among others, is found by halving and named; the others' vectors are asked for once more at most", async () => {
    await using provider = await startProvider((asked) =>
      asked.body.input.some((text) => text.length > 100)
        ? failure(500, "the input length exceeds the context length")
        : embeddings(asked),
    );
    const texts = Array.from({ length: 40 }, (_, i) => (i === 29 ? "x".repeat(101) : `text ${i}`));
    const { embedder } = sharedLitellm(provider, { batchSize: 16 });
    const error: unknown = await embedder.embed(texts, { caller: ownWork }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ index: 29, status: 400 });
  });

  const { signal } = new AbortController();
  const own = { caller: ownWork, signal };
  test.each<[string, string | null, (litellm: ReturnType<typeof sharedLitellm>) => Promise<unknown>]>([
    ["embeddings", "input", (litellm) => litellm.createEmbeddings({ input: "long" }, own)],
    ["several", "input[1]", (litellm) => litellm.createEmbeddings({ input: ["a", "long", "b"] }, own)],
    ["chat named by the caller", null, (litellm) => litellm.chat.complete({ ...chat, namedBy: "caller" }, own)],
    ["CHAT_MODEL", null, (litellm) => litellm.chat.complete(chat, own)],
    ["a stream", null, (litellm) => litellm.chat.stream(chat, own)],
    ["rerank", "documents", (litellm) => litellm.rerank(rerank, own)],
    ["RERANK_MODEL", "documents", (litellm) => litellm.rerank({ ...rerank, namedBy: "settings" }, own)],
    ["POST /rerank", "documents", (litellm) => litellm.passRerank({ model: "m" }, own)],
  ])("%s: 400 that keeps the provider's sentence", async (_, param, call) => {
    await using provider = await startProvider(() =>
      failure(500, "input is too large to process. increase the physical batch size"),
    );
    const error = await errorOf(call(sharedLitellm(provider)));
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", param });
    expect(error.message).toContain("input is too large to process");
    expect(provider.asked).toHaveLength(1);
  });
});
