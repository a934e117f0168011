import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, bodyOf, createStore } from "../support/stores.js";
import { testDimensions, testKey } from "../support/settings.js";
import { testVector } from "../support/vectors.js";

let proxy: FakeProxy;
let service: TestService;
const withoutProxy = { EMBEDDING__DIMENSIONS: String(testDimensions) };
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({ environment: withoutProxy });
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

/** Starts again on the same database. */
async function restart(environment: Record<string, string>): Promise<void> {
  await service.stop();
  service = await startService({ database: service.database, environment });
}
const search = (store: string, body: object = {}) =>
  service.post(`/v1/vector_stores/${store}/search`, { query: "cat", ...body });
const insert = (store: string, embeddings: object[]) => service.post(batchPath(store), { embeddings });
const own = (seed: number) => ({ content: `own ${seed}`, embedding: testVector(seed, testDimensions) });
const named = (before: string, now: string) => ({
  error: {
    code: "model_mismatch",
    message: expect.stringMatching(new RegExp(`'${before}'.*'${now}'.*create another vector store`, "s")) as unknown,
  },
});

describe("texts embedded by one model, and another model now", () => {
  let texts: string;
  let vectors: string;
  let old: string;
  beforeAll(async () => {
    [texts, vectors, old] = [await createStore(service), await createStore(service), await createStore(service)];
    await insert(texts, [{ content: "the cat" }]).expect(200);
    await insert(vectors, [own(1)]).expect(200);
    await insert(old, [{ content: "the cat" }]).expect(200);
    // As a version left it that did not record the model.
    await service.database.exec(`UPDATE vector_stores SET embedded_by = NULL WHERE id = '${old}'`);
    await restart(proxy.environment);
  });

  test("searches by text and new texts are refused, with both models and what to do", async () => {
    expect(await bodyOf(search(texts).expect(409))).toMatchObject(named("built-in-hashing", "embed"));
    expect(await bodyOf(insert(texts, [{ content: "dog" }]).expect(409))).toMatchObject(
      named("built-in-hashing", "embed"),
    );
    const uploaded = await request(service.url)
      .post(`/v1/vector_stores/${texts}/upload`)
      .set("authorization", `Bearer ${testKey}`)
      .attach("file", Buffer.from("A document."), "a.txt")
      .expect(409);
    expect(uploaded.body).toMatchObject(named("built-in-hashing", "embed"));
  });

  test("the store names the model of its rows; keyword search and the sender's own vectors go on", async () => {
    expect(await bodyOf(service.get(`/v1/vector_stores/${texts}`).expect(200))).toMatchObject({
      embedding_model: "built-in-hashing",
    });
    await search(texts, { ranking_options: { search_mode: "keyword" } }).expect(200);
    await insert(texts, [own(2)]).expect(200);
  });

  test("a store of the sender's own vectors, and an empty one, take the new model", async () => {
    await search(vectors).expect(200);
    await insert(vectors, [{ content: "text" }]).expect(200);
    expect(await bodyOf(service.get(`/v1/vector_stores/${vectors}`).expect(200))).toMatchObject({
      embedding_model: "embed",
    });
  });

  test("a store of an older version works on, and learns its model at the next text", async () => {
    await search(old).expect(200);
    await insert(old, [{ content: "dog" }]).expect(200);
    await restart(withoutProxy);
    expect(await bodyOf(search(old).expect(409))).toMatchObject(named("embed", "built-in-hashing"));
    await restart(proxy.environment);
    await search(old).expect(200);
  });
});
