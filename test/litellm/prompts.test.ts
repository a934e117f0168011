import { describe, expect, test } from "@jest/globals";
import { knownPrompts } from "../../src/litellm/knownPrompts.js";
import { type Prompts, noPrompts } from "../../src/words/prompts.js";
import { type Answer, embeddings, failure, litellm, startProvider } from "./support.js";

const prefixes = (queryPrefix: string, documentPrefix = ""): Prompts => ({
  queryPrefix,
  documentPrefix,
  inputType: null,
});
const types = (query: string, document: string): Prompts => ({ ...noPrompts, inputType: { query, document } });
const e5 = prefixes("query: ", "passage: ");
const bge = prefixes("Represent this sentence for searching relevant passages: ");
const instruct = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:";
const nomic = prefixes("search_query: ", "search_document: ");

// As the model cards ask for it.
test.each<[string, Prompts | null]>([
  ["intfloat/e5-base-v2", e5],
  ["hosted_vllm/intfloat/multilingual-e5-large", e5],
  ["infinity/multilingual-e5-small", e5],
  ["intfloat/multilingual-e5-large-instruct", prefixes(`${instruct} `)],
  ["intfloat/e5-mistral-7b-instruct", prefixes(`${instruct} `)],
  ["openai/Qwen/Qwen3-Embedding-0.6B", prefixes(instruct)],
  ["BAAI/bge-large-en-v1.5", bge],
  ["ollama/bge-large:latest", bge],
  ["BAAI/bge-base-zh-v1.5", prefixes("为这个句子生成表示以用于检索相关文章：")],
  ["BAAI/bge-m3", null],
  ["bge-large-zh-noinstruct", noPrompts],
  ["WhereIsAI/UAE-Large-V1", bge],
  ["Alibaba-NLP/gte-Qwen2-7B-instruct", prefixes(`${instruct} `)],
  ["ollama/mxbai-embed-large", bge],
  ["Snowflake/snowflake-arctic-embed-m-v1.5", bge],
  ["ollama/snowflake-arctic-embed2", prefixes("query: ")],
  ["Snowflake/snowflake-arctic-embed-l-v2.0", prefixes("query: ")],
  ["ollama/nomic-embed-text", nomic],
  ["nomic-ai/nomic-embed-text-v1.5", nomic],
  ["ollama/embeddinggemma:300m", prefixes("task: search result | query: ", "title: none | text: ")],
  ["cohere/embed-english-v3.0", types("search_query", "search_document")],
  ["embed-multilingual-light-v3.0", types("search_query", "search_document")],
  ["bedrock/cohere.embed-multilingual-v3", types("search_query", "search_document")],
  ["azure_ai/Cohere-embed-v3-english", types("search_query", "search_document")],
  ["embed-v-4-0", types("search_query", "search_document")],
  ["voyage/voyage-3-large", types("query", "document")],
  ["voyage/voyage-code-3", types("query", "document")],
  ["nvidia_nim/nvidia/nv-embedqa-e5-v5", types("query", "passage")],
  ["openai/nvidia/llama-3.2-nemoretriever-300m-embed-v1", types("query", "passage")],
  ["text-embedding-3-small", null],
  ["text-embedding-ada-002", null],
  ["hosted_vllm/all-minilm-l6-v2", null],
  ["sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", null],
  ["mistral/mistral-embed", null],
  ["gemini/gemini-embedding-001", null],
  ["", null],
])("%s", (model, prompts) => {
  expect(knownPrompts(model)).toEqual(prompts);
});

describe("requests", () => {
  const prompts: Prompts = {
    queryPrefix: "q: ",
    documentPrefix: "d: ",
    inputType: { query: "search_query", document: "search_document" },
  };
  const choice = { model: "m", dimensions: 3, sendDimensions: false };

  test("have the prefix and the input type of their purpose, and none without prompts", async () => {
    await using provider = await startProvider(embeddings);
    const { embedderFor } = litellm(provider);
    await embedderFor({ ...choice, prompts }).embed(["one", ""]);
    await embedderFor({ ...choice, prompts }).embedQuery("two");
    await embedderFor(choice).embed(["three"]);
    await embedderFor(choice).embedQuery("four");
    const plain = { model: "m", encoding_format: "base64" };
    expect(provider.asked.map(({ body }) => body)).toEqual([
      { ...plain, input: ["d: one", "d: "], input_type: "search_document" },
      { ...plain, input: ["q: two"], input_type: "search_query" },
      { ...plain, input: ["three"] },
      { ...plain, input: ["four"] },
    ]);
  });

  test("with different prompts share neither a cached query nor a request", async () => {
    await using provider = await startProvider(embeddings);
    const { embedderFor } = litellm(provider);
    const others = [prompts, { ...prompts, queryPrefix: "x: " }, { ...prompts, inputType: null }, undefined];
    const asked = await Promise.all(
      [...others, ...others].map((each) => embedderFor({ ...choice, prompts: each }).embedQuery("cat")),
    );
    expect(provider.asked.map(({ body }) => body.input)).toEqual([["q: cat"], ["x: cat"], ["q: cat"], ["cat"]]);
    expect(asked.slice(4)).toEqual(asked.slice(0, 4));
  });

  test("to find out dimensions are made as for documents", async () => {
    await using provider = await startProvider(embeddings);
    await litellm(provider).measure({ model: "m", dimensions: 3, prompts });
    expect(provider.asked[0]?.body).toMatchObject({
      input: ["d: dimensions"],
      input_type: "search_document",
      dimensions: 3,
    });
  });
});

describe("promptsOf", () => {
  const info = (deployments: Record<string, unknown>) => ({
    json: {
      data: Object.entries(deployments).map(([model_name, model]) => ({ model_name, litellm_params: { model } })),
    },
  });

  const promptsFrom = async (from: ReturnType<typeof litellm>, model: string) => (await from.promptsOf(model)).prompts;

  test("goes by the deployment behind the name, else by the name, and asks for deployments once", async () => {
    await using provider = await startProvider(() =>
      info({
        search: "nvidia_nim/nvidia/nv-embedqa-e5-v5",
        plain: "openai/text-embedding-3-small",
        odd: 7,
        "my-e5-large": "ollama/nomic-embed-text",
        "e5-base": "openai/served",
      }),
    );
    const proxied = litellm(provider);
    expect(await promptsFrom(proxied, "my/e5-base")).toEqual(e5);
    expect(await promptsFrom(proxied, "e5-base")).toEqual(e5);
    expect(await promptsFrom(proxied, "my-e5-large")).toEqual(nomic);
    expect(await promptsFrom(proxied, "search")).toEqual(types("query", "passage"));
    for (const model of ["plain", "odd", "unknown"]) expect(await promptsFrom(proxied, model)).toEqual(noPrompts);
    expect(provider.asked.map(({ path }) => path)).toEqual(["/model/info"]);
  });

  test("the settings decide for their own model, each for itself", async () => {
    await using provider = await startProvider(() => failure(404, "Not Found"));
    const set = litellm(provider, { model: "e5-base", prompts: { queryPrefix: "ask: " } });
    expect(await promptsFrom(set, "e5-base")).toEqual({ ...e5, queryPrefix: "ask: " });
    expect(await promptsFrom(set, "e5-small")).toEqual(e5);
    const asked = provider.asked.length;
    const all = { queryPrefix: "", documentPrefix: "", inputType: { query: "q", document: "d" } };
    expect(await litellm(provider, { model: "x", prompts: all }).promptsOf("x")).toEqual({
      prompts: all,
      learnt: true,
      away: false,
    });
    expect(provider.asked).toHaveLength(asked);
  });

  test("is not learnt when the proxy is away, unless the name says it", async () => {
    await using provider = await startProvider(() => "drop");
    const away = litellm(provider);
    expect(await away.promptsOf("search")).toEqual({ prompts: noPrompts, learnt: false, away: true });
    expect(await away.promptsOf("e5-base")).toEqual({ prompts: e5, learnt: true, away: false });
  });

  test.each<[string, Answer, boolean]>([
    ["away", "drop", true],
    ["without the list, or another server in its place", failure(404, "Not Found"), false],
  ])("is asked for again, if that matters, of a proxy that was %s a moment ago", async (_, first, isAway) => {
    let answer = first;
    await using provider = await startProvider(() => answer);
    const proxied = litellm(provider);
    const unlearnt = { prompts: noPrompts, learnt: false, away: isAway };
    expect(await proxied.promptsOf("search")).toEqual(unlearnt);
    answer = info({ search: "ollama/nomic-embed-text" });
    expect(await proxied.promptsOf("search")).toEqual(unlearnt);
    const insisting = await Promise.all([1, 2].map(() => proxied.promptsOf("search", { insist: true })));
    expect(insisting.map(({ prompts }) => prompts)).toEqual([nomic, nomic]);
    expect(await proxied.promptsOf("search")).toEqual({ prompts: nomic, learnt: true, away: false });
    await proxied.promptsOf("search", { insist: true });
    expect(provider.asked).toHaveLength(2);
  });

  test("is not learnt with a service key that may not see the deployments", async () => {
    await using provider = await startProvider(() => failure(403, "not allowed to call this route"));
    expect(await litellm(provider).promptsOf("search")).toEqual({
      prompts: noPrompts,
      learnt: false,
      away: true,
    });
  });
});
