import { describe, expect, test } from "@jest/globals";
import type { Answer } from "./support.js";
import { errorOf, failure, litellm, startProvider } from "./support.js";

const listed = [
  { id: "test-model", object: "model", created: 1, owned_by: "openai", mode: "embedding" },
  { id: "other", object: "model", created: 2, owned_by: "openai" },
];
const info = [
  { model_name: "test-model", model_info: { mode: "embedding", output_vector_size: 3, max_input_tokens: 8191 } },
  { model_name: "test-model", model_info: { mode: "embedding", output_vector_size: null } },
  { model_name: "bare", model_info: { mode: "embedding", supports_vision: null, output_vector_size: null } },
  { model_name: "seeing", litellm_params: {}, model_info: { mode: "chat", supports_vision: true } },
  { model_name: "unknown", model_info: { mode: null, supports_vision: null } },
  { model_name: "none", model_info: null },
];

const proxy = (answers: Record<string, Answer>) =>
  startProvider(({ path }) => answers[path] ?? failure(404, "Not Found"));

describe("through the proxy", () => {
  const full = { "/v1/models": { json: { data: listed } }, "/model/info": { json: { data: info } } };

  test("models are passed on unchanged, requested with the key", async () => {
    await using provider = await proxy(full);
    expect(await litellm(provider).models()).toEqual(listed);
    expect(provider.asked[0]).toMatchObject({ method: "GET", path: "/v1/models" });
    expect(provider.asked[0]?.headers.authorization).toBe("Bearer sk-service-key");
  });

  test("embedding models, each name once, with LiteLLM's details", async () => {
    await using provider = await proxy(full);
    const common = { object: "model", created: 0, owned_by: "litellm", mode: "embedding" };
    expect(await litellm(provider).embeddingModels()).toEqual([
      { id: "test-model", ...common, dimensions: 3, max_input_tokens: 8191 },
      { id: "bare", ...common },
    ]);
    expect(provider.asked[0]?.headers.authorization).toBe("Bearer sk-service-key");
  });

  test("vision models", async () => {
    await using provider = await proxy(full);
    expect(await litellm(provider).visionModels()).toEqual([
      { id: "seeing", object: "model", created: 0, owned_by: "litellm", mode: "chat" },
    ]);
  });

  test("without /model/info, the configured model is the only embedding model", async () => {
    await using provider = await proxy({ "/v1/models": { json: { data: listed } } });
    const { embeddingModels, visionModels } = litellm(provider);
    expect(await embeddingModels()).toEqual([listed[0]]);
    expect(await visionModels()).toEqual([]);
  });

  test.each<[string, Answer, number, RegExp]>([
    ["no list", { json: { data: {} } }, 502, /not a list of models/],
    ["our key refused", failure(401, "no"), 502, /EMBEDDING__API_KEY/],
    ["failing", failure(500, "no"), 502, /HTTP 500/],
    ["absent", failure(404, "no"), 502, /EMBEDDING__BASE_URL/],
  ])("%s", async (_, answer, status, message) => {
    await using provider = await proxy({ "/v1/models": answer });
    const error = await errorOf(litellm(provider).models());
    expect(error.status).toBe(status);
    expect(error.message).toMatch(message);
  });
});

describe("built-in", () => {
  test("has one model", async () => {
    const { models, embeddingModels, visionModels, state } = litellm(null);
    const one = { id: "built-in-hashing", object: "model", created: 0, mode: "embedding", dimensions: 3 };
    expect(await models()).toMatchObject([one]);
    expect(await embeddingModels()).toMatchObject([one]);
    expect(await visionModels()).toEqual([]);
    expect(state()).toEqual({ configured: false, breaker: "closed" });
  });
});
