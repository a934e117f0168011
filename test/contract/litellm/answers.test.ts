import { beforeAll, describe, expect, test } from "@jest/globals";
import { randomUUID } from "node:crypto";
import {
  type Page,
  facts,
  failure,
  fill,
  fillMisplaced,
  providerCalls,
  proxy,
  search,
  sidecar,
  storeIds,
  texts,
  until,
} from "./support.js";

const through = { custom_llm_provider: "pg_vector" };
const reader = "openai/gpt-4o-mini";
/** A question that no other call of the provider has. */
const unheard = (question: string) => `${question} (${randomUUID()})`;
const [returns, shipping, warehouse, , cat] = facts;

async function createStore(body: object = {}): Promise<string> {
  return (await proxy.post<{ id: string }>("/vector_stores", { body: { ...through, ...body } })).id;
}
const direct = (storeId: string, body: object) => sidecar.post<Page>(`/vector_stores/${storeId}/search`, { body });

/** Whether a page is one that a rerank model put in order. */
function expectReranked(page: Page, first: string): void {
  expect(page.reranked).toBe(true);
  expect(texts(page)[0]).toBe(first);
  const scores = page.data.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  for (const { vector_score: before = NaN } of page.data) expect(before >= 0 && before <= 1).toBe(true);
  expect(page.data[0]?.vector_score).toBeLessThan(scores[0] ?? NaN);
}

describe("a search whose vectors mislead", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "misplaced" });
    await fillMisplaced(storeId);
  });

  test("finds the wrong sentences without a rerank model", async () => {
    for (const [i, { question }] of facts.entries()) {
      const page = await direct(storeId, { query: question });
      expect(texts(page)[0]).toBe(facts[(i + 1) % facts.length]?.text);
      expect(page.reranked).toBeUndefined();
      expect(page.data[0]?.vector_score).toBeUndefined();
    }
  });

  test.each([
    ["rerank, by the model that the proxy has for it", { rerank: true }],
    ["rerank_model", { rerank_model: "rerank" }],
    ["rerank_model auto", { rerank_model: "auto" }],
    ["rerank as a condition", { rerank: "required" }],
    ["ranking_options.rerank", { ranking_options: { rerank: true } }],
    ["ranking_options.ranker", { ranking_options: { ranker: "rerank" } }],
  ])("finds the right one first with %s", async (_, wish) => {
    for (const { question, text } of facts) {
      expectReranked(await direct(storeId, { query: question, max_num_results: 3, ...wish }), text);
    }
  });

  test.each([
    ["ranker", { ranker: "rerank" }],
    ["rerank", { rerank: true }],
    ["rerank_model", { rerank_model: "rerank" }],
  ])("finds it through LiteLLM as well, which passes ranking_options.%s on", async (_, options) => {
    for (const { question, text } of facts) {
      const body = { ...through, query: question, max_num_results: 3, ranking_options: options };
      expectReranked(await search(storeId, body), text);
    }
  });

  test("many users at once each get their own order", async () => {
    const asked = Array.from({ length: 18 }, (_, i) => facts[i % facts.length] ?? facts[0]);
    const pages = await Promise.all(
      asked.map(({ question }) => direct(storeId, { query: question, rerank: true, rerank_candidates: 6, top_k: 1 })),
    );
    expect(pages.map((page) => texts(page)[0])).toEqual(asked.map(({ text }) => text));
  });
});

describe("a registered store made through LiteLLM with rerank_model in its metadata", () => {
  const storeId = storeIds.reranked;
  beforeAll(() => fillMisplaced(storeId));

  test("is reranked whoever searches it, unless the search says otherwise", async () => {
    const query = cat.question;
    expectReranked(await search(storeId, { query, max_num_results: 3 }), cat.text);
    const plain = await search(storeId, { query, ranking_options: { ranker: "none" } });
    expect(texts(plain)[0]).not.toBe(cat.text);
    expect(plain.reranked).toBeUndefined();
  });

  test("gives LiteLLM's chat the right context first", async () => {
    const messages = [{ role: "user", content: cat.question }];
    const body = { model: "upstream-chat", messages, vector_store_ids: [storeId] };
    const answer = await proxy.post<{ choices: { message: { content: string } }[] }>("/chat/completions", { body });
    expect(answer.choices[0]?.message.content).toContain(`Context:\\n\\n${cat.text}`);
  });

  test("is reranked by both in LiteLLM's /v1/rag/query with a rerank of its own", async () => {
    const body = {
      model: "upstream-chat",
      messages: [{ role: "user", content: cat.question }],
      retrieval_config: { vector_store_id: storeId, ...through, top_k: 3 },
      rerank: { enabled: true, model: "hosted_vllm/rerank", top_n: 1 },
    };
    const answer = await proxy.post<{ choices: { message: { content: string } }[] }>("/rag/query", { body });
    const content = answer.choices[0]?.message.content ?? "";
    expect(facts.filter(({ text }) => content.includes(text))).toEqual([cat]);
  });
});

test("a search through LiteLLM with rewrite_query has CHAT_MODEL word the query", async () => {
  const storeId = await createStore({ name: "rewritten" });
  await fill(storeId);
  const query = unheard(cat.question);
  const page = await search(storeId, { ...through, query, rewrite_query: true });
  expect(page.search_query).toEqual([query]);
  expect(texts(page)[0]).toBe(cat.text);
  expect(await providerCalls(query)).toMatchObject([{ model: "gpt-4o-mini", said: query, state: "complete" }]);
});

interface Reranked {
  results: {
    index: number;
    relevance_score: number;
    document?: { text: string };
    id?: string;
    vector_score?: number;
  }[];
}
const rerank = (body: object) => sidecar.post<Reranked>("/rerank", { body });

describe("POST /v1/rerank", () => {
  const documents = facts.map(({ text }) => text);

  test("of documents answers as the proxy does, with the model that is found when none is named", async () => {
    for (const { question, text } of facts) {
      const body = { query: question, documents, top_n: 4 };
      const ours = await rerank(body);
      expect(ours.results).toEqual(
        (await proxy.post<Reranked>("/rerank", { body: { model: "rerank", ...body } })).results,
      );
      expect(ours.results).toHaveLength(4);
      expect(documents[ours.results[0]?.index ?? -1]).toBe(text);
    }
  });

  test("passes on what it does not know, and documents that are objects", async () => {
    const objects = documents.map((text) => ({ text }));
    const { results } = await rerank({
      model: "rerank",
      query: cat.question,
      documents: objects,
      return_documents: true,
    });
    expect(results).toHaveLength(documents.length);
    expect(results[0]?.document).toEqual({ text: cat.text });
  });

  test("of a vector store answers with its chunks and their places in the search before", async () => {
    const storeId = await createStore({ name: "rerank" });
    await fillMisplaced(storeId);
    const { results } = await rerank({ query: cat.question, vector_store_id: storeId });
    expect(results[0]).toMatchObject({ document: { text: cat.text }, id: `${storeId}:4` });
    expect(results[0]?.index).not.toBe(0);
    expect(results.map(({ index }) => index).toSorted()).toEqual([...facts.keys()]);
    const scores = results.map((each) => each.relevance_score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const before = results.toSorted((a, b) => a.index - b.index).map((each) => each.vector_score ?? NaN);
    expect(before).toEqual(before.toSorted((a, b) => b - a));
    const filters = { type: "eq", key: "public", value: false };
    const few = await rerank({ query: cat.question, vector_store_id: storeId, top_n: 1, filters });
    expect(few.results.map(({ document }) => document?.text)).toEqual([cat.text]);
  });
});

describe("a rerank model that fails", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "failing" });
    await fill(storeId);
  });
  const documents = ["a", "b"];

  test.each([
    ["rerank_model", { rerank_model: "no-such-model" }],
    ["ranking_options.rerank_model", { ranking_options: { rerank_model: "no-such-model" } }],
    ["ranking_options.ranker", { ranking_options: { ranker: "no-such-model" } }],
  ])("is the caller's mistake when the proxy does not have the one in %s", async (param, wish) => {
    const refused = await failure(direct(storeId, { query: "x", ...wish }));
    expect(refused).toMatchObject({ status: 400, param, message: expect.stringContaining("no-such-model") });
    if (!("rerank_model" in wish)) {
      const { status, message } = await failure(search(storeId, { ...through, query: "x", ...wish }));
      expect(status).toBe(400);
      expect(message).toContain(param);
    }
  });

  test.each([["documents"], ["vector_store_id"]])("is a mistake in /v1/rerank of %s, too", async (what) => {
    const body = {
      model: "no-such-model",
      query: "x",
      ...(what === "documents" ? { documents } : { [what]: storeId }),
    };
    const refused = await failure(rerank(body));
    expect(refused).toMatchObject({ status: 400, param: "model", message: expect.stringContaining("no-such-model") });
  });

  test.each(["broken-rerank", "overloaded-rerank"])("leaves the search as it was, and says so: %s", async (model) => {
    const body = { query: cat.question, rerank_model: model };
    const { data, response } = await sidecar.post<Page>(`/vector_stores/${storeId}/search`, { body }).withResponse();
    expect(texts(data)[0]).toBe(cat.text);
    expect(data.reranked).toBe(false);
    expect(response.headers.get("x-vector-store-warning")).toMatch(/^not reranked: /);
    expect(response.headers.get("x-vector-store-warning")).not.toMatch(/worker 7|\.py|Traceback/);
  });

  test.each(["broken-rerank", "overloaded-rerank"])("is 502 where reranking is required: %s", async (model) => {
    const required = failure(direct(storeId, { query: "x", rerank: "required", rerank_model: model }));
    expect(await required).toMatchObject({ status: 502, code: "rerank_failed" });
    const ofStore = failure(rerank({ model, query: "x", vector_store_id: storeId }));
    expect(await ofStore).toMatchObject({ status: 502, code: "rerank_failed" });
  });

  test("is 429 or 502 for texts of the caller's own", async () => {
    const overloaded = await failure(rerank({ model: "overloaded-rerank", query: "x", documents }));
    expect(overloaded).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    const broken = await failure(rerank({ model: "broken-rerank", query: "x", documents }));
    expect(broken).toMatchObject({ status: 502, code: "bad_gateway" });
    expect(broken.message).not.toContain("worker 7");
  });
});

interface Source {
  index: number;
  cited: boolean;
  id: string;
  vector_store_id: string;
  text: string;
  score: number;
}
interface Rag {
  object: string;
  answer: string;
  sources: Source[];
  search_query: string;
  reranked?: boolean;
  model: string;
  usage: { total_tokens: number } | null;
  finish_reason: string;
}
const rag = (storeId: string, body: object) => sidecar.post<Rag>(`/vector_stores/${storeId}/rag`, { body });
const usage = (calls: number) => ({
  prompt_tokens: 7 * calls,
  completion_tokens: 3 * calls,
  total_tokens: 10 * calls,
});

interface RagEvent {
  event: string;
  data: { delta?: string; answer?: string; cited?: number[]; sources?: Source[]; error?: object } | string;
}

/** A streamed answer, event by event; who stops reading closes the connection. */
async function* stream(path: string, body: object): AsyncGenerator<RagEvent> {
  const answer = await fetch(`${sidecar.baseURL}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${sidecar.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of answer.body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, event = "", data = ""] = /^(?:event: (.*)\n)?data: (.*)$/.exec(block) ?? [];
      yield { event, data: data === "[DONE]" ? data : (JSON.parse(data) as Exclude<RagEvent["data"], string>) };
    }
  }
  expect(text).toBe("");
}

async function whole(path: string, body: object): Promise<RagEvent[]> {
  const events: RagEvent[] = [];
  for await (const event of stream(path, body)) events.push(event);
  return events;
}
const deltas = (events: readonly RagEvent[]) =>
  events.map(({ data }) => (typeof data === "string" ? "" : (data.delta ?? ""))).join("");

describe("an answer from a vector store", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "answers" });
    await fill(storeId);
  });

  test("is the model's, with the sources it had and cites", async () => {
    for (const { question, text } of facts) {
      const answer = await rag(storeId, { query: question, model: reader, top_k: 3 });
      expect(answer).toMatchObject({
        object: "rag.answer",
        answer: `${text} [1]`,
        search_query: question,
        model: reader,
        usage: usage(1),
        finish_reason: "stop",
      });
      expect(answer.sources.map(({ index, cited }) => ({ index, cited }))).toEqual([
        { index: 1, cited: true },
        { index: 2, cited: false },
        { index: 3, cited: false },
      ]);
      expect(answer.sources[0]).toMatchObject({ text, vector_store_id: storeId });
      const scores = answer.sources.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
  });

  test("is asked for with the passages between tags that no document can know, and the question after them", async () => {
    const query = unheard(cat.question);
    const body = { query, model: reader, system_prompt: "You are a pirate." };
    const { sources } = await rag(storeId, body);
    const [{ messages } = { messages: [] }] = await providerCalls(query);
    expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
    const [system = "", prompt = ""] = messages.map(({ content }) => content);
    const tag = /<(passage-[0-9a-f]{8}) /.exec(prompt)?.[1] ?? "";
    expect(system).toMatch(/^You are a pirate\.\n\n/);
    expect(system).toContain(`tags named ${tag} `);
    expect(sources).toHaveLength(5);
    const passages = sources.map(({ index, text }) => `<${tag} number="${index}">\n${text}\n</${tag}>`);
    expect(prompt).toBe([...passages, `Question: ${query}`].join("\n\n"));
    await rag(storeId, body);
    const [, again] = await providerCalls(query);
    expect(again?.said).toContain(`Question: ${query}`);
    expect(again?.said).not.toContain(tag);
  });

  test("comes from CHAT_MODEL when no model is named", async () => {
    expect(await rag(storeId, { query: shipping.question })).toMatchObject({
      answer: `${shipping.text} [1]`,
      model: reader,
    });
  });

  test("to a follow-up is found by a question that stands alone, and asked with the conversation", async () => {
    const messages = [
      { role: "user", content: "Tell me about the pet at work." },
      { role: "assistant", content: "It is a cat." },
    ];
    const query = "Where does it sleep?";
    const answer = await rag(storeId, { query, messages });
    expect(answer).toMatchObject({
      answer: `${cat.text} [1]`,
      search_query: `Tell me about the pet at work. ${query}`,
      usage: usage(2),
    });
    const question = unheard(query);
    await rag(storeId, { messages: [...messages, { role: "user", content: question }] });
    const seen = (await providerCalls(question)).at(-1)?.messages ?? [];
    expect(seen.slice(1, -1)).toEqual(messages);
    expect(seen.at(-1)?.content.endsWith(`\n\nQuestion: ${question}`)).toBe(true);
  });

  test("is made from what a rerank model puts first", async () => {
    const misplaced = await createStore({ name: "misplaced" });
    await fillMisplaced(misplaced);
    const wrong = await rag(misplaced, { query: returns.question });
    expect(wrong).toMatchObject({ answer: `${shipping.text} [1]` });
    expect(wrong.reranked).toBeUndefined();
    const right = await rag(misplaced, { query: returns.question, rerank: true });
    expect(right).toMatchObject({ answer: `${returns.text} [1]`, reranked: true });
  });

  test("where nothing is found is the model's, who was told so, or nobody's", async () => {
    const empty = await createStore({ name: "empty" });
    const query = unheard("Is there anything at all in here?");
    expect(await rag(empty, { query })).toMatchObject({ answer: "Nothing was found.", sources: [], usage: usage(1) });
    const asked = await providerCalls(query);
    const declined = await rag(empty, { query, on_empty: "decline" });
    expect(declined).toMatchObject({ answer: expect.stringContaining("nothing"), sources: [], usage: null });
    expect(await providerCalls(query)).toEqual(asked);
  });

  test("comes in pieces: the sources, what the model writes, and how it ended", async () => {
    const events = await whole(`/vector_stores/${storeId}/rag`, { query: warehouse.question, model: reader });
    const names = events.map(({ event }) => event);
    expect(names.slice(0, 2)).toEqual(["rag.sources", "rag.delta"]);
    expect(names.slice(-3)).toEqual(["rag.delta", "rag.completed", ""]);
    expect(names.slice(2, -3).every((name) => name === "rag.delta")).toBe(true);
    const text = `${warehouse.text} [1]`;
    expect(deltas(events)).toBe(text);
    expect(events[0]?.data).toMatchObject({ type: "rag.sources", search_query: warehouse.question });
    expect(events[0]?.data).toMatchObject({
      sources: Array.from({ length: 5 }, (_, i) => expect.objectContaining({ index: i + 1, cited: false })),
    });
    expect(events[0]?.data).toHaveProperty("sources.0.text", warehouse.text);
    expect(events.at(-2)?.data).toEqual({
      type: "rag.completed",
      answer: text,
      cited: [1],
      model: reader,
      usage: usage(1),
      finish_reason: "stop",
    });
    expect(events.at(-1)?.data).toBe("[DONE]");
  });
});

describe("an answer from several vector stores", () => {
  const ids: string[] = [];
  beforeAll(async () => {
    for (const { text } of [cat, shipping]) {
      const id = await createStore({ name: "one fact" });
      ids.push(id);
      await sidecar.post(`/vector_stores/${id}/embeddings/batch`, { body: { embeddings: [{ content: text }] } });
    }
  });

  test("names the store of each source, best first, whole and in pieces", async () => {
    for (const { question, text } of [cat, shipping]) {
      const body = { vector_store_ids: ids, query: question, model: reader, rerank: true };
      const answer = await sidecar.post<Rag>("/rag", { body });
      expect(answer).toMatchObject({ answer: `${text} [1]`, reranked: true });
      const stores = text === cat.text ? ids : ids.toReversed();
      expect(answer.sources.map((source) => source.vector_store_id)).toEqual(stores);
      const events = await whole("/rag", body);
      expect(deltas(events)).toBe(`${text} [1]`);
      expect(events[0]?.data).toMatchObject({ sources: stores.map((id) => ({ vector_store_id: id })), reranked: true });
    }
  });

  test("is refused as a whole when one of them is not there", async () => {
    const body = { vector_store_ids: [...ids, storeIds.unknown], query: "x", model: reader };
    expect(await failure(sidecar.post("/rag", { body }))).toMatchObject({ status: 404, param: "vector_store_id" });
  });
});

describe("a chat model that fails", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "failing" });
    await fill(storeId);
  });

  describe.each([
    ["whole", {}],
    ["in pieces", { stream: true }],
  ])("before it answers, %s", (_, way) => {
    test.each([
      ["is the caller's mistake when the proxy does not have it", "no-such-model", { status: 400, param: "model" }],
      ["is 429 when it is overloaded", "overloaded-chat", { status: 429, code: "rate_limit_exceeded" }],
      ["is 502 when it is broken", "broken-chat", { status: 502, code: "bad_gateway" }],
    ])("%s", async (__, model, expected) => {
      const query = unheard("What is said?");
      const refused = await failure(rag(storeId, { query, model, ...way }));
      expect(refused).toMatchObject(expected);
      expect(refused.message).not.toMatch(/worker 7|\.py|Traceback/);
      // The provider asks for an hour, which no retry of ours can wait.
      expect(await providerCalls(query)).toHaveLength(model === "no-such-model" ? 0 : 1);
    });
  });

  test("in mid-answer ends the stream with an error, after what was written", async () => {
    const query = warehouse.question;
    const events = await whole(`/vector_stores/${storeId}/rag`, { query, model: "breaking-chat" });
    expect(`${warehouse.text} [1]`.startsWith(deltas(events))).toBe(true);
    expect(deltas(events)).not.toBe("");
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe("rag.sources");
    expect(names.slice(-2)).toEqual(["error", ""]);
    expect(names).not.toContain("rag.completed");
    expect(events.at(-2)?.data).toEqual({
      error: { message: expect.any(String), type: "server_error", param: null, code: expect.any(String) },
    });
    expect(events.at(-1)?.data).toBe("[DONE]");
  });
});

describe("a client that leaves", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "left" });
    await fill(storeId);
  });

  test("in mid-answer ends the call at the provider", async () => {
    const query = unheard("Who hears this to its end?");
    for await (const { event } of stream(`/vector_stores/${storeId}/rag`, { query, model: "endless-chat" })) {
      if (event === "rag.delta") break;
    }
    await until(async () => (await providerCalls(query)).every(({ state }) => state === "left"));
    expect(await providerCalls(query)).toMatchObject([{ model: "endless", stream: true }]);
  });

  test("before a whole answer ends it too, where the proxy is set to pass that on", async () => {
    const query = unheard("Who waits for this?");
    const leaving = new AbortController();
    const body = { query, model: "endless-chat" };
    const answer = sidecar.post(`/vector_stores/${storeId}/rag`, { body, signal: leaving.signal });
    const refused = expect(answer).rejects.toThrow("aborted");
    await until(async () => (await providerCalls(query)).length > 0);
    expect(await providerCalls(query)).toMatchObject([{ state: "open" }]);
    leaving.abort();
    await refused;
    await until(async () => (await providerCalls(query)).every(({ state }) => state === "left"));
    expect(await providerCalls(query)).toHaveLength(1);
  });
});
