import { beforeAll, describe, expect, test } from "@jest/globals";
import { facts, failure, fill, fillMisplaced, providerCalls, sidecar, storeIds } from "./support.js";
import {
  reader,
  unheard,
  returns,
  shipping,
  warehouse,
  cat,
  createStore,
  type Rag,
  rag,
  usage,
  whole,
  deltas,
} from "./answersSupport.js";

describe("an answer from a vector store", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "answers" });
    await fill(storeId);
  });

  test("is the model's, with all sources and those it cites", async () => {
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

  test("is requested with passages between tags that no document can know, followed by the question", async () => {
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

  test("comes from CHAT_MODEL if the request names no model", async () => {
    expect(await rag(storeId, { query: shipping.question })).toMatchObject({
      answer: `${shipping.text} [1]`,
      model: reader,
    });
  });

  test("to a follow-up searches with a standalone question and sends the conversation to the model", async () => {
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

  test("uses the chunks that a rerank model puts first", async () => {
    const misplaced = await createStore({ name: "misplaced" });
    await fillMisplaced(misplaced);
    const wrong = await rag(misplaced, { query: returns.question });
    expect(wrong).toMatchObject({ answer: `${shipping.text} [1]` });
    expect(wrong.reranked).toBeUndefined();
    const right = await rag(misplaced, { query: returns.question, rerank: true });
    expect(right).toMatchObject({ answer: `${returns.text} [1]`, reranked: true });
  });

  test("without any results comes from the model, which is told so, or is a fixed sentence", async () => {
    const empty = await createStore({ name: "empty" });
    const query = unheard("Is there anything at all in here?");
    expect(await rag(empty, { query })).toMatchObject({ answer: "Nothing was found.", sources: [], usage: usage(1) });
    const asked = await providerCalls(query);
    const declined = await rag(empty, { query, on_empty: "decline" });
    expect(declined).toMatchObject({ answer: expect.stringContaining("nothing"), sources: [], usage: null });
    expect(await providerCalls(query)).toEqual(asked);
  });

  test("is streamed as sources, pieces of text, and the end", async () => {
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

  test("names the store of each source, best first, streamed or not", async () => {
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

  test("is refused if one of the stores is missing", async () => {
    const body = { vector_store_ids: [...ids, storeIds.unknown], query: "x", model: reader };
    expect(await failure(sidecar.post("/rag", { body }))).toMatchObject({ status: 404, param: "vector_store_id" });
  });
});
