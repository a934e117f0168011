import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { OpenAI } from "openai";
import { type Provider, base64, embeddings, failure, startProvider, vectorOf } from "../litellm/support.js";
import { testDimensions, testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { errorOf, send } from "./requests.js";

interface Embeddings {
  object: string;
  data: { object: string; index: number; embedding: number[] | string }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
}
const decode = (text: unknown) => {
  const bytes = Buffer.from(String(text), "base64");
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
};

describe("without a proxy, the built-in embedder", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());
  const embed = async (body: object) => (await service.post("/v1/embeddings", body).expect(200)).body as Embeddings;

  test("embeds one text or several, in OpenAI's shape and in their order", async () => {
    const both = await embed({ input: ["alpha beta", "gamma"], model: "built-in-hashing" });
    expect(both).toEqual({
      object: "list",
      data: [0, 1].map((index) => ({ object: "embedding", index, embedding: expect.any(Array) })),
      model: "built-in-hashing",
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    for (const [i, input] of ["alpha beta", "gamma"].entries()) {
      expect((await embed({ input })).data[0]?.embedding).toEqual(both.data[i]?.embedding);
    }
    expect(both.data[0]?.embedding).toHaveLength(testDimensions);
    expect(both.data[0]?.embedding).not.toEqual(both.data[1]?.embedding);
  });

  test("base64 is the same vector as float", async () => {
    const float = await embed({ input: "alpha", encoding_format: "float" });
    const packed = await embed({ input: "alpha", encoding_format: "base64" });
    expect(decode(packed.data[0]?.embedding)).toEqual(float.data[0]?.embedding);
  });

  test("answers with the requested dimensions", async () => {
    expect((await embed({ input: "alpha", dimensions: 32 })).data[0]?.embedding).toHaveLength(32);
  });

  test("nulls count as absent, under every prefix", async () => {
    const body = { input: "alpha", model: null, dimensions: null, encoding_format: null, user: null };
    for (const prefix of ["", "/v1", "/v1/v1"]) {
      const answer = await service.post(`${prefix}/embeddings`, body).expect(200);
      expect((answer.body as Embeddings).data[0]?.embedding).toHaveLength(testDimensions);
    }
  });

  test("refuses tokens with a reason", async () => {
    for (const input of [
      [1, 2],
      [[1], [2, 3]],
    ]) {
      const answer = await send(service.url, { path: "/v1/embeddings", body: { input } });
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toMatchObject({ param: "input", message: expect.stringContaining("not tokens") });
    }
  });

  test("is the only model, and is not a vision model", async () => {
    const model = {
      id: "built-in-hashing",
      object: "model",
      created: 0,
      owned_by: "built-in",
      mode: "embedding",
      dimensions: 8,
    };
    for (const path of ["/models", "/embeddings/models"]) {
      expect((await service.get(`/v1${path}`).expect(200)).body).toEqual({ object: "list", data: [model] });
    }
    expect((await service.get("/v1/vision/models").expect(200)).body).toEqual({ object: "list", data: [] });
  });
});

describe("with a proxy", () => {
  let service: TestService;
  let proxy: Provider;
  const models = [
    { id: "small", object: "model", created: 1700000000, owned_by: "openai", extra: "kept" },
    { id: "eyes", object: "model", created: 1700000001, owned_by: "openai" },
    { id: "openai/gpt-4o", object: "model", created: 1700000002, owned_by: "openai" },
    { id: "a b/c", object: "model", created: 1700000003, owned_by: "openai" },
  ];
  const info = [
    { model_name: "small", model_info: { mode: "embedding", output_vector_size: 3, max_input_tokens: 512 } },
    { model_name: "eyes", model_info: { mode: "chat", supports_vision: true } },
    { model_name: "blind", model_info: { mode: "chat", supports_vision: null } },
  ];

  beforeAll(async () => {
    proxy = await startProvider((asked) => {
      if (asked.path === "/v1/models") return { json: { object: "list", data: models } };
      if (asked.path === "/model/info") return { json: { data: info } };
      if (asked.path !== "/v1/embeddings") return failure(404, "no such path");
      if (asked.body.model === "over-budget")
        return failure(422, "Budget exceeded for sk-secret-user", { type: "budget_exceeded" });
      if (asked.body.model === "unknown") return failure(400, "Invalid model name");
      if (asked.body.model === "broken") return failure(500, "Traceback: File secret.py");
      const isText = typeof asked.body.input[0] === "string" || typeof asked.body.input === "string";
      const each = { ...asked, body: { ...asked.body, input: [asked.body.input].flat() } };
      const reply = isText
        ? embeddings(each)
        : {
            json: {
              object: "list",
              data: [{ object: "embedding", index: 0, embedding: [1, 2, 3] }],
              model: "small",
              usage: { prompt_tokens: 2, total_tokens: 2 },
            },
          };
      return reply;
    });
    service = await startService({
      environment: {
        EMBEDDING__BASE_URL: `${proxy.url}/v1`,
        EMBEDDING__API_KEY: "sk-proxy-key",
        EMBEDDING__MODEL: "small",
        EMBEDDING__DIMENSIONS: "3",
        EMBEDDING__RETRY_SECONDS: "0",
      },
    });
  });
  afterAll(async () => {
    await service.close();
    await proxy[Symbol.asyncDispose]();
  });
  const lastAsked = () => proxy.asked.filter((asked) => asked.path === "/v1/embeddings").at(-1);
  const client = () => new OpenAI({ baseURL: `${service.url}/v1`, apiKey: testKey });
  const embed = (body: object) => send(service.url, { path: "/v1/embeddings", body });

  test("POST /v1/embeddings passes the request on with the service's key, and passes the answer back", async () => {
    const body = {
      input: ["ab", "c"],
      model: "other",
      encoding_format: "float",
      dimensions: 3,
      user: "u",
      input_type: "query",
    };
    const answer = await embed(body);
    expect(answer.status).toBe(200);
    expect((JSON.parse(answer.text) as Embeddings).data).toEqual([
      { object: "embedding", index: 0, embedding: vectorOf("ab") },
      { object: "embedding", index: 1, embedding: vectorOf("c") },
    ]);
    expect(lastAsked()?.body).toEqual(body);
    expect(lastAsked()?.headers.authorization).toBe("Bearer sk-proxy-key");
  });

  test("base64 stays base64, and the default is the configured model", async () => {
    const answer = await embed({ input: "ab", encoding_format: "base64", model: null });
    expect((JSON.parse(answer.text) as Embeddings).data[0]?.embedding).toBe(base64(vectorOf("ab")));
    expect(lastAsked()?.body).toMatchObject({ model: "small", encoding_format: "base64" });
  });

  test.each([[[1, 2]], [[[1, 2], [3]]]])("tokens %j are passed to the proxy unchanged", async (input) => {
    expect((await embed({ input })).status).toBe(200);
    expect(lastAsked()?.body.input).toEqual(input);
  });

  test("the proxy's refusals keep their status; its internal details are hidden", async () => {
    expect((await embed({ input: "x", model: "over-budget" })).status).toBe(422);
    expect((await embed({ input: "x", model: "unknown" })).status).toBe(400);
    const broken = await embed({ input: "x", model: "broken" });
    expect(broken.status).toBeGreaterThanOrEqual(502);
    expect(broken.text).not.toMatch(/Traceback|secret\.py|sk-proxy-key|127\.0\.0\.1/);
    expect(Object.keys(errorOf(broken)).sort()).toEqual(["code", "message", "param", "type"]);
  });

  test("GET /v1/models lists the proxy's models", async () => {
    expect((await service.get("/v1/models").expect(200)).body).toEqual({ object: "list", data: models });
  });

  test("GET /v1/models/{id} finds one model, whether its slashes are encoded or not", async () => {
    for (const path of ["small", "openai/gpt-4o", "openai%2Fgpt-4o", "a%20b/c"]) {
      const answer = await service.get(`/v1/models/${path}`).expect(200);
      expect(answer.body).toEqual(models.find((model) => model.id === decodeURIComponent(path)));
    }
    await expect(client().models.retrieve("openai/gpt-4o")).resolves.toMatchObject({ id: "openai/gpt-4o" });
  });

  test.each(["gpt-4o", "openai", "openai/gpt-4o/", "x".repeat(5000)])("GET /v1/models/%s: 404", async (id) => {
    const answer = await send(service.url, { path: `/v1/models/${id}`, method: "GET" });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ type: "invalid_request_error", param: "model", code: "model_not_found" });
  });

  test("embedding and vision models are found by capability", async () => {
    const embedding = (await service.get("/v1/embeddings/models").expect(200)).body as { data: { id: string }[] };
    expect(embedding.data).toEqual([
      {
        id: "small",
        object: "model",
        created: 0,
        owned_by: "litellm",
        mode: "embedding",
        dimensions: 3,
        max_input_tokens: 512,
      },
    ]);
    const vision = (await service.get("/v1/vision/models").expect(200)).body as { data: { id: string }[] };
    expect(vision.data.map((each) => each.id)).toEqual(["eyes"]);
  });

  test("the proxy embeds queries and rows without an embedding", async () => {
    const store = await createStore(service);
    await service.post(`/v1/vector_stores/${store}/embeddings`, { content: "ab" }).expect(200);
    const found = await service.post(`/v1/vector_stores/${store}/search`, { query: "ab" }).expect(200);
    expect((found.body as { data: { score: number }[] }).data[0]?.score).toBeCloseTo(1, 5);
    expect(lastAsked()?.body).toMatchObject({ model: "small", input: ["ab"] });
  });
});
