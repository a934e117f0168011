import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { referenceTables } from "../support/litellmPgvector.js";
import { createTestDatabase } from "../support/database.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import type { Answer } from "../litellm/support.js";
import { testDimensions } from "../support/settings.js";
import { batchPath, bodyOf, createStore, rowOf, rowsPath, searchPath } from "../support/stores.js";
import { importInto, sourceOf, transferRow, transferStore } from "../support/transfer.js";
import { storePath } from "./modelStores.js";

/** Stores that were made without a proxy, or come from elsewhere, under a model that wants prefixes. */

let proxy: FakeProxy;
let service: TestService;
beforeAll(async () => {
  proxy = await startFakeProxy();
});
afterAll(() => proxy[Symbol.asyncDispose]());
beforeEach(async () => {
  proxy.asked.length = 0;
  service = await startService();
});
afterEach(async () => {
  proxy.reset();
  await service.close();
});

const withE5 = () => ({ ...proxy.environment, EMBEDDING__MODEL: "my-e5-large" });
/** Starts the service anew, with a proxy. */
async function addProxy(): Promise<void> {
  const { database } = service;
  await service.stop();
  service = await startService({ database, environment: withE5() });
}
const asked = () =>
  proxy.asked
    .filter(({ path }) => path === "/v1/embeddings")
    .flatMap(({ body }) => (body as unknown as { input: string[] }).input);
const insert = (id: string, ...embeddings: object[]) => service.post(batchPath(id), { embeddings });
const search = (id: string, query: string) => service.post(searchPath(id), { query }).expect(200);
const shown = async (id: string) => {
  const store = await bodyOf(service.get(storePath(id)).expect(200));
  const { query_prefix, document_prefix } = store as { query_prefix?: string; document_prefix?: string };
  return [query_prefix, document_prefix];
};
const prefixes = ["query: ", "passage: "];

test("a store made without a proxy gets what the model of a later proxy wants, with its first text", async () => {
  const [empty, filled] = [await createStore(service), await createStore(service)];
  await insert(filled, { content: "hello" }).expect(200);
  await addProxy();
  await insert(empty, { content: "hello" }).expect(200);
  await search(empty, "hello");
  expect(asked()).toEqual(["passage: hello", "query: hello"]);
  expect(await shown(empty)).toEqual(prefixes);
  // The built-in embedder has embedded there, so another model is refused.
  await insert(filled, { content: "hello" }).expect(409);
});

test("so does one whose rows have their sender's own vectors; its queries have the prefix at once", async () => {
  const store = await createStore(service);
  await insert(store, rowOf(1)).expect(200);
  await addProxy();
  await search(store, "before");
  expect(asked()).toEqual(["query: before"]);
  expect(await shown(store)).toEqual([undefined, undefined]);
  await insert(store, rowOf(2)).expect(200);
  await insert(store, rowOf(3), { content: "hello" }).expect(200);
  await search(store, "after");
  expect(asked()).toEqual(["query: before", "passage: hello", "query: after"]);
  expect(await shown(store)).toEqual(prefixes);
});

test("the first text may be a row's new content", async () => {
  const store = await createStore(service);
  await insert(store, rowOf(1, { id: "row" })).expect(200);
  await addProxy();
  await service.patch(`${rowsPath(store)}/row`, { content: "hello" }).expect(200);
  expect(asked()).toEqual(["passage: hello"]);
  expect(await shown(store)).toEqual(prefixes);
});

test("a store whose texts are all gone begins anew", async () => {
  const store = await createStore(service);
  await insert(store, { id: "row", content: "hello" }).expect(200);
  await service.delete(`${rowsPath(store)}/row`).expect(200);
  await addProxy();
  await insert(store, { content: "again" }).expect(200);
  expect(asked()).toEqual(["passage: again"]);
});

test("first texts that come at the same time are embedded alike", async () => {
  const store = await createStore(service);
  await addProxy();
  const texts = ["one", "two", "three", "four", "five"];
  for (const answer of await Promise.all(texts.map((content) => insert(store, { content }))))
    expect(answer.status).toBe(200);
  expect(asked().sort()).toEqual(texts.map((text) => `passage: ${text}`).sort());
});

test("a store that was adopted with its rows keeps what they were embedded with: nothing", async () => {
  const database = await createTestDatabase();
  await database.exec(`${referenceTables(testDimensions)}
    INSERT INTO vector_stores (id, name) VALUES ('full', 'a'), ('empty', 'b');
    INSERT INTO embeddings (id, vector_store_id, content, embedding)
      VALUES ('row', 'full', 'hello', '[${rowOf(1).embedding?.toString() ?? ""}]');`);
  const adopting = await startService({ database, environment: withE5() });
  try {
    for (const id of ["full", "empty"]) {
      await adopting.post(searchPath(id), { query: `to ${id}` }).expect(200);
      await adopting.post(batchPath(id), { embeddings: [{ content: `of ${id}` }] }).expect(200);
    }
    expect(asked()).toEqual(["to full", "of full", "query: to empty", "passage: of empty"]);
  } finally {
    await adopting.close();
  }
});

test("so does one whose vectors were imported", async () => {
  const store = await createStore(service);
  const empty = transferStore("vs_empty", { embeddingDimensions: testDimensions });
  const full = transferStore("vs_full", { embeddingDimensions: testDimensions });
  await importInto(service, sourceOf([transferRow(1)]), { store });
  await importInto(service, sourceOf([transferRow(2, { storeId: "vs_full" })], { name: "all", stores: [empty, full] }));
  await addProxy();
  for (const id of [store, "vs_full", "vs_empty"]) {
    await search(id, `to ${id}`);
    await insert(id, { content: `of ${id}` }).expect(200);
  }
  expect(asked()).toEqual([
    ...[store, "vs_full"].flatMap((id) => [`to ${id}`, `of ${id}`]),
    ...["query: to vs_empty", "passage: of vs_empty"],
  ]);
});

test("texts that an import embeds are the first texts too", async () => {
  const [empty, vectors] = [await createStore(service), await createStore(service)];
  await insert(vectors, rowOf(1)).expect(200);
  await addProxy();
  for (const [i, store] of [empty, vectors].entries()) {
    const source = sourceOf([transferRow(i, { vector: null, content: "hello" })], { name: store });
    await importInto(service, source, { store, embed: true });
    expect(await shown(store)).toEqual(prefixes);
  }
  expect(asked()).toEqual(["passage: hello", "passage: hello"]);
});

/** As LiteLLM says which model is behind the name. */
const served = () => ({
  json: { data: [{ model_name: "alias", litellm_params: { model: "huggingface/intfloat/e5-large-v2" } }] },
});
/** A store of a model whose name says nothing, made while the proxy says nothing either. */
async function createUntold(info: Answer = "drop"): Promise<string> {
  const { database } = service;
  await service.stop();
  proxy.answers.info = () => info;
  service = await startService({ database, environment: { ...proxy.environment, EMBEDDING__MODEL: "alias" } });
  const made = await service.post("/v1/vector_stores", { name: "untold" }).expect(200);
  const { id, warnings } = made.body as { id: string; warnings?: string[] };
  if (info === "drop")
    expect(warnings).toEqual([expect.stringMatching(/could not be asked .*: it is asked again with the first text;/)]);
  else expect(warnings).toBeUndefined();
  return id;
}

test("a store that was made while the proxy did not say what the model wants learns it with its first text", async () => {
  const [named, usual] = [await createUntold(), await createStore(service)];
  const other = await createStore(service, { embedding_model: "alias-2", embedding_dimensions: testDimensions });
  await insert(named, rowOf(1)).expect(200);
  // At once, not after the seconds for which other calls go on without.
  proxy.answers.info = served;
  proxy.asked.length = 0;
  for (const id of [named, usual]) {
    await insert(id, { content: `of ${id}` }, { content: "more" }).expect(200);
    await search(id, `to ${id}`);
    expect(await shown(id)).toEqual(prefixes);
  }
  await insert(other, { content: "other" }).expect(200);
  expect(await shown(other)).toEqual([undefined, undefined]);
  const each = (id: string) => [`passage: of ${id}`, "passage: more", `query: to ${id}`];
  expect(asked()).toEqual([...each(named), ...each(usual), "other"]);
});

test("so does one that was made while another server answered for the proxy", async () => {
  const store = await createUntold({ status: 404, text: "default backend" });
  proxy.answers.info = served;
  await insert(store, { content: "hello" }).expect(200);
  expect(asked().slice(-1)).toEqual(["passage: hello"]);
});

test("texts are stored without, while the proxy still does not say it; and so are later ones", async () => {
  const store = await createUntold();
  await insert(store, { content: "first" }).expect(200);
  proxy.answers.info = served;
  await insert(store, { content: "second" }).expect(200);
  await search(store, "query");
  expect(asked().slice(-3)).toEqual(["first", "second", "query"]);
  expect(await shown(store)).toEqual([undefined, undefined]);
});

test("a first text is not stored without what another process has learnt meanwhile", async () => {
  const store = await createUntold();
  const other = await startService({
    database: service.database,
    environment: { ...proxy.environment, EMBEDDING__MODEL: "alias" },
  });
  const { engine } = service.deps;
  service.deps.engine = {
    ...engine,
    write: async (...given) => {
      service.deps.engine = engine;
      proxy.answers.info = served;
      await other.post(batchPath(store), { embeddings: [{ content: "theirs" }] }).expect(200);
      return engine.write(...given);
    },
  };
  const refused = await insert(store, { content: "mine" }).expect(503);
  expect(refused.body).toMatchObject({ error: { message: expect.stringMatching(/^The proxy said meanwhile/) } });
  await insert(store, { content: "mine" }).expect(200);
  expect(asked()).toEqual(["mine", "passage: theirs", "passage: mine"]);
  await other.stop();
});
