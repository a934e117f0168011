import { describe, expect, test } from "@jest/globals";
import { startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { proxy, service, path, ask, refusal } from "./ragSupport.js";

describe("refused requests", () => {
  test("without a model, the proxy's first chat model answers; without one, the places to set it are named", async () => {
    const bare = await startService({ environment: proxy.environment });
    const store = await createStore(bare);
    const answered = await bare.post(path(store), { query: "x" }).expect(200);
    expect(answered.body).toMatchObject({ model: "chat-2026" });
    expect(proxy.chats().at(-1)).toMatchObject({ model: "chat" });
    await bare.close();
    proxy.answers.info = () => ({ json: { data: [{ model_name: "embed", model_info: { mode: "embedding" } }] } });
    const none = await startService({ environment: proxy.environment });
    const answer = await none.post(path(await createStore(none)), { query: "x" }).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({
      param: "model",
      code: "no_chat_model",
      message: expect.stringMatching(/CHAT_MODEL/),
    });
    await none.close();
  });

  test("without a proxy, saying so instead of blaming the model", async () => {
    const alone = await startService();
    const own = await createStore(alone);
    const answered = await alone.post(path(own), { query: "x", model: "any" }).expect(400);
    expect((answered.body as { error: object }).error).toMatchObject({
      param: null,
      code: "no_proxy",
      message: expect.stringMatching(/^Answers need .* LiteLLM proxy.*LITELLM_PROXY_URL/),
    });
    await alone.close();
  });

  test.each([
    [400, "Invalid model name passed in model=mine", "model_not_found", "model"],
    [403, "key not allowed to access model", "permission_denied", null],
    [404, "no such model", "model_not_found", null],
    [429, "slow down", "rate_limit_exceeded", null],
  ])("%d for a model that the caller named is passed on to the caller", async (status, message, code, param) => {
    proxy.answers.chat = () => refusal(status, message);
    for (const body of [{}, { stream: true }]) {
      const answer = await ask({ model: "mine", ...body }).expect(status);
      expect((answer.body as { error: object }).error).toMatchObject({
        code,
        param,
        message: expect.stringContaining(message),
      });
    }
  });

  test("for an unknown store, before a model call", async () => {
    await ask({}, "vs_01900000000070008000000000000000").expect(404);
    expect(proxy.calls()).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["no question", { query: null }, "query"],
    ["an empty question", { query: " " }, "query"],
    ["a question that is a number", { query: 5 }, "query"],
    ["messages that end with the assistant", { query: null, messages: [{ role: "assistant", content: "x" }] }, "messages"], // prettier-ignore
    ["an unknown role", { messages: [{ role: "tool", content: "x" }] }, "messages[0].role"],
    ["a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, "messages[0].content"],
    ["top_k 0", { top_k: 0 }, "top_k"],
    ["top_k 51", { top_k: 51 }, "top_k"],
    ["temperature 3", { temperature: 3 }, "temperature"],
    ["max_tokens 0", { max_tokens: 0 }, "max_tokens"],
    ["stream 'yes'", { stream: "yes" }, "stream"],
    ["on_empty", { on_empty: "invent" }, "on_empty"],
    ["an unknown filter", { filters: { type: "like", key: "a", value: 1 } }, "filters.type"],
    ["an invalid rerank value", { rerank: "maybe" }, "rerank"],
    ["a long system prompt", { system_prompt: "x".repeat(100_001) }, "system_prompt"],
    ["an empty model", { model: "" }, "model"],
  ])("%s", async (_, body, param) => {
    const answer = await ask(body).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({ param, type: "invalid_request_error" });
    expect(proxy.calls()).toEqual([]);
  });

  test.each<[string, object, string]>([
    ["no stores", { query: "x" }, "vector_store_ids"],
    ["an empty list", { query: "x", vector_store_ids: [] }, "vector_store_ids"],
    ["too many", { query: "x", vector_store_ids: Array.from({ length: 11 }, (_, n) => `vs_${n}`) }, "vector_store_ids"],
    ["a number", { query: "x", vector_store_ids: [1] }, "vector_store_ids[0]"],
  ])("of stores: %s", async (_, body, param) => {
    const answer = await service.post("/v1/rag", body).expect(400);
    expect((answer.body as { error: object }).error).toMatchObject({ param });
  });
});
