import { beforeAll, describe, expect, test } from "@jest/globals";
import { facts, fill, proxy, search, sidecar, storeIds, texts } from "./support.js";

/** One registry entry's api_base lacks `/v1`, the other's has it. */
describe.each(["plain", "version"] as const)("search through LiteLLM, registry entry %s", (name) => {
  const storeId = storeIds[name];
  beforeAll(() => fill(storeId));

  test("the store was created through LiteLLM and keeps its settings", async () => {
    expect(await proxy.vectorStores.retrieve(storeId)).toMatchObject({
      id: storeId,
      object: "vector_store",
      name,
      metadata: { made: "through LiteLLM" },
      status: "completed",
      file_counts: { completed: facts.length, total: facts.length },
    });
  });

  test("a question in other words finds the right sentence first, whichever side embedded it", async () => {
    for (const { question, text, metadata } of facts) {
      const page = await search(storeId, { query: question, max_num_results: 3 });
      expect(page).toMatchObject({ object: "vector_store.search_results.page", search_query: [question] });
      expect(texts(page)).toHaveLength(3);
      expect(texts(page)[0]).toBe(text);
      expect(page.data[0]?.attributes).toEqual(metadata);
      const scores = page.data.map((item) => item.score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
  });

  test("a text and its embedding from the proxy score the same", async () => {
    for (const { text } of facts) {
      const page = await search(storeId, { query: text, max_num_results: 1 });
      expect(texts(page)).toEqual([text]);
      expect(page.data[0]?.score).toBeCloseTo(1, 4);
    }
  });

  test("filters are passed on, OpenAI's nested ones and flat ones, and keep their types", async () => {
    const query = facts[0].question;
    const topics = async (filters: object) =>
      (await search(storeId, { query, filters, max_num_results: 50 })).data
        .map((item) => item.attributes?.topic)
        .toSorted();
    expect(await topics({ type: "eq", key: "topic", value: "shipping" })).toEqual(["shipping"]);
    expect(await topics({ type: "gte", key: "year", value: 2025 })).toEqual(["energy", "office"]);
    expect(await topics({ type: "eq", key: "year", value: "2025" })).toEqual([]);
    expect(await topics({ topic: "office" })).toEqual(["office"]);
    expect(
      await topics({
        type: "and",
        filters: [
          { type: "eq", key: "public", value: true },
          {
            type: "or",
            filters: [
              { type: "lt", key: "year", value: 2024 },
              { type: "in", key: "topic", value: ["energy", "office"] },
            ],
          },
        ],
      }),
    ).toEqual(["energy", "returns"]);
  });

  test("ranking_options and several queries are passed on", async () => {
    const query = facts[0].question;
    const all = await search(storeId, { query });
    expect(all.data).toHaveLength(facts.length);
    const [first, second] = all.data.map((item) => item.score);
    const threshold = ((first ?? 0) + (second ?? 0)) / 2;
    const few = await search(storeId, { query, ranking_options: { ranker: "auto", score_threshold: threshold } });
    expect(texts(few)).toEqual([facts[0].text]);
    const both = await search(storeId, { query: [facts[1].question, facts[4].question], max_num_results: 2 });
    expect(texts(both).toSorted()).toEqual([facts[1].text, facts[4].text].toSorted());
  });

  test("many users at once each get their own answer", async () => {
    const questions = Array.from({ length: 24 }, (_, i) => facts[i % facts.length] ?? facts[0]);
    const pages = await Promise.all(
      questions.map(({ question }) => search(storeId, { query: question, max_num_results: 1 })),
    );
    expect(pages.map((page) => texts(page)[0])).toEqual(questions.map((fact) => fact.text));
  });

  test("a row deleted on the server is also gone through the proxy, and comes back when it is added again", async () => {
    const query = facts[5].text;
    const rest = facts.length - 1;
    await sidecar.delete(`/vector_stores/${storeId}/embeddings`, { body: { ids: [`${storeId}:5`] } });
    const without = texts(await search(storeId, { query }));
    expect(without).toHaveLength(rest);
    expect(without).not.toContain(facts[5].text);
    await fill(storeId);
    expect(texts(await search(storeId, { query }))[0]).toBe(facts[5].text);
  });
});
