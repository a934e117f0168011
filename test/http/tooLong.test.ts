import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { failure } from "../litellm/support.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, bodyOf, createStore } from "../support/stores.js";

let proxy: FakeProxy;
let service: TestService;
let store: string;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: { ...proxy.environment, EMBEDDING__RETRY_SECONDS: "60" } });
  store = await createStore(service);
});
afterEach(() => {
  proxy.reset();
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

const search = (query: string | string[]) => service.post(`/v1/vector_stores/${store}/search`, { query });
const longText = "word ".repeat(1_080);

/** As llama.cpp answers: texts of more than 2,000 characters are a failure of the server. */
const refuseLongTexts = () => {
  proxy.answers.embeddings = ({ body }) =>
    [body.input].flat().some((text) => text.length > 2_000)
      ? failure(500, "input is too large to process. increase the physical batch size")
      : null;
};

describe("a text longer than the model reads, refused with status 500", () => {
  test("as queries: 400 at once that names them, while others search on", async () => {
    refuseLongTexts();
    for (let n = 0; n < 6; n += 1) {
      const body = await bodyOf(search(longText).expect(400));
      expect(body).toMatchObject({ error: { param: "query", code: "context_length_exceeded" } });
    }
    const body = await bodyOf(search(["short", longText]).expect(400));
    expect(body).toMatchObject({ error: { param: "query[1]", code: "context_length_exceeded" } });
    await search("short").expect(200);
    await service.get("/readyz").expect(200);
  });

  test("as one of several rows: 400 that names the row, and nothing is stored", async () => {
    refuseLongTexts();
    const embeddings = ["a", "b", longText, "d"].map((content) => ({ content }));
    const body = await bodyOf(service.post(batchPath(store), { embeddings }).expect(400));
    expect(body).toMatchObject({
      error: {
        param: "embeddings[2].content",
        code: "context_length_exceeded",
        message: "embeddings[2].content: The text is longer than the embedding model 'embed' accepts.",
      },
    });
    const single = await bodyOf(
      service.post(`/v1/vector_stores/${store}/embeddings`, { content: longText }).expect(400),
    );
    expect(single).toMatchObject({ error: { param: "content", code: "context_length_exceeded" } });
    const found = await bodyOf(search("a").expect(200));
    expect(found).toMatchObject({ data: [] });
  });

  test("in POST /v1/embeddings: 400 that names the longest input", async () => {
    refuseLongTexts();
    const body = await bodyOf(
      service.post("/v1/embeddings", { model: "embed", input: ["a", longText, "c"] }).expect(400),
    );
    expect(body).toMatchObject({ error: { param: "input[1]", code: "context_length_exceeded" } });
  });
});

describe("a query longer than the model's max_input_tokens", () => {
  const reads = (tokens: number) => {
    proxy.answers.info = () => ({
      json: { data: [{ model_name: "embed", model_info: { mode: "embedding", max_input_tokens: tokens } }] },
    });
  };
  const words = Array.from({ length: 600 }, (_, i) => `word${i}`);

  test("is embedded without its middle, with a warning; a short one stays whole", async () => {
    reads(200);
    // A new service has not asked for the limit yet; the tests above must not know it.
    await service.stop();
    service = await startService({ database: service.database, environment: proxy.environment });
    const answer = await search(words.join(" ")).expect(200);
    expect(answer.headers["x-vector-store-warning"]).toMatch(/^query shortened: .*'embed' reads 200 tokens/);
    expect(answer.body).toMatchObject({ search_query: [words.join(" ")] });
    const sent = proxy.asked.at(-1)?.body.input[0] ?? "";
    expect(sent).toMatch(/^word0 word1 .*word598 word599$/s);
    expect(sent).not.toContain("word300");
    const short = await search("a short question").expect(200);
    expect(short.headers["x-vector-store-warning"]).toBeUndefined();
    expect(proxy.asked.at(-1)?.body.input).toEqual(["a short question"]);
  });
});
