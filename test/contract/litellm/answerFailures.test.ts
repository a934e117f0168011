import { beforeAll, describe, expect, test } from "@jest/globals";
import { failure, fill, providerCalls, sidecar, until } from "./support.js";
import { unheard, warehouse, createStore, rag, stream, whole, deltas } from "./answersSupport.js";

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
      // The provider asks for an hour, which is longer than any retry waits.
      expect(await providerCalls(query)).toHaveLength(model === "no-such-model" ? 0 : 1);
    });
  });

  test("in the middle of an answer ends the stream with an error, after the text so far", async () => {
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

describe("a client that disconnects", () => {
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore({ name: "left" });
    await fill(storeId);
  });

  test("in the middle of an answer ends the provider's call", async () => {
    const query = unheard("Who hears this to its end?");
    for await (const { event } of stream(`/vector_stores/${storeId}/rag`, { query, model: "endless-chat" })) {
      if (event === "rag.delta") break;
    }
    await until(async () => (await providerCalls(query)).every(({ state }) => state === "left"));
    expect(await providerCalls(query)).toMatchObject([{ model: "endless", stream: true }]);
  });

  test("without streaming ends it too", async () => {
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
