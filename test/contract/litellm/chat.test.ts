import { beforeAll, describe, expect, test } from "@jest/globals";
import { type Page, facts, fill, proxy, sidecarKey, storeIds, texts } from "./support.js";

interface Chat {
  choices: {
    message: {
      content: string;
      provider_specific_fields?: {
        search_results?: Page[] | Page;
        vector_store_search_failures?: { vector_store_id: string; error: string }[];
      };
    };
  }[];
}

const fact = facts[2];

/** A chat through the proxy. The model `upstream-chat` repeats the messages that reached it. */
async function chat(more: object, model = "upstream-chat") {
  const body = { model, messages: [{ role: "user", content: fact.question }], ...more };
  const message = (await proxy.post<Chat>("/chat/completions", { body })).choices[0]?.message;
  const fields = message?.provider_specific_fields;
  return {
    content: message?.content ?? "",
    results: [fields?.search_results ?? []].flat(),
    failures: fields?.vector_store_search_failures ?? [],
  };
}

describe.each(["chatPlain", "chatVersion"] as const)("chat with a store, registry entry %s", (name) => {
  const storeId = storeIds[name];
  beforeAll(() => fill(storeId));

  test("vector_store_ids: the model gets the texts as context, and the user gets the results", async () => {
    const answer = await chat({ vector_store_ids: [storeId] });
    expect(answer.failures).toEqual([]);
    expect(answer.results).toHaveLength(1);
    const found = answer.results.flatMap(texts);
    expect(found[0]).toBe(fact.text);
    expect(found).toHaveLength(facts.length);
    expect(answer.content).toContain(`Context:\\n\\n${fact.text}`);
    for (const text of found) expect(answer.content).toContain(text);
  });

  test("tools with file_search: its filters, max_num_results and ranking_options are kept", async () => {
    const tool = { type: "file_search", vector_store_ids: [storeId] };
    const two = await chat({ tools: [{ ...tool, max_num_results: 2 }] });
    expect(two.results.flatMap(texts)).toHaveLength(2);
    expect(two.results.flatMap(texts)[0]).toBe(fact.text);
    const filters = { type: "eq", key: "topic", value: "security" };
    const filtered = await chat({ tools: [{ ...tool, filters }] });
    expect(filtered.results.flatMap(texts)).toEqual([facts[3].text]);
    expect(filtered.content).toContain(`Context:\\n\\n${facts[3].text}`);
    expect(filtered.content).not.toContain(fact.text);
    const none = await chat({ tools: [{ ...tool, ranking_options: { score_threshold: 1 } }] });
    expect(none.failures).toEqual([]);
    expect(none.results.flatMap(texts)).toEqual([]);
    expect(none.content).not.toContain("Context:");
  });

  test("/v1/rag/query: the search's results, and the reranked ones, belong to the question", async () => {
    const retrieval = { vector_store_id: storeId, custom_llm_provider: "pg_vector", top_k: 3 };
    const body = {
      model: "upstream-chat",
      messages: [{ role: "user", content: fact.question }],
      retrieval_config: retrieval,
    };
    const results = (answer: Chat) =>
      [answer.choices[0]?.message.provider_specific_fields?.search_results ?? []].flat().flatMap(texts);
    const found = results(await proxy.post<Chat>("/rag/query", { body }));
    expect(found).toHaveLength(3);
    expect(found[0]).toBe(fact.text);
    const rerank = { enabled: true, model: "hosted_vllm/rerank", top_n: 1 };
    const reranked = await proxy.post<Chat>("/rag/query", { body: { ...body, rerank } });
    // The rerank model names positions of text parts, which LiteLLM takes for positions of results.
    expect(reranked.choices[0]?.message.content).toContain(fact.text);
    for (const text of found.slice(1)) expect(reranked.choices[0]?.message.content).not.toContain(text);
  });
});

describe("chat with several stores", () => {
  beforeAll(async () => {
    await fill(storeIds.chatPlain);
    await fill(storeIds.chatVersion);
  });

  test("every store is searched", async () => {
    const answer = await chat({ vector_store_ids: [storeIds.chatPlain, storeIds.chatVersion] });
    expect(answer.results.map((page) => texts(page)[0])).toEqual([fact.text, fact.text]);
  });

  test("a failing store is named without internal details, and the others still answer", async () => {
    const ids = [storeIds.unknown, storeIds.wrongKey, storeIds.chatPlain];
    const answer = await chat({ vector_store_ids: ids });
    expect(answer.results.map((page) => texts(page)[0])).toEqual([fact.text]);
    expect(answer.failures.map((failure) => failure.vector_store_id)).toEqual(ids.slice(0, 2));
    const [unknown, wrongKey] = answer.failures.map((failure) => failure.error);
    expect(unknown).toContain(`No vector store found with id '${storeIds.unknown}'`);
    expect(wrongKey).toContain("Incorrect API key provided");
    for (const error of [unknown, wrongKey]) {
      expect(error).not.toMatch(/postgres|SELECT|relation|\bat .*\.js|node_modules|127\.0\.0\.1/i);
      expect(error).not.toContain(sidecarKey);
    }
  });
});
