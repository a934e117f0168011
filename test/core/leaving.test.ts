import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import request from "supertest";
import { type ExportRequest, exportRows, storesToExport } from "../../src/core/transfer/exportRows.js";
import { createMemoryEngine } from "../support/memoryEngine/engine.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { batchPath, createStore, rowsOf, rowsPath, searchPath } from "../support/stores.js";

/*
 * A client that leaves ends what the engine does for it: each of these calls gets the signal of its request.
 */

let service: TestService;
let store: string;
let file: string;
/** The engine's calls since the test began, with their signals. */
let calls: [name: string, signal: unknown][];

beforeAll(async () => {
  service = await startService({ environment: { EMBEDDING__DIMENSIONS: "8" } });
  const { db, now } = service.deps;
  calls = [];
  const engine = createMemoryEngine({ db, now });
  const { words, records } = engine;
  service.deps.engine = {
    ...watched("", engine),
    words: words && watched("words.", words),
    records: watched("records.", records),
  };
  store = await createStore(service);
  const rows = rowsOf(8, (seed) => ({ id: `r${seed}`, metadata: { source: "book", chunk_index: seed } }));
  await service.post(batchPath(store), { embeddings: rows }).expect(200);
  const sent = request(service.url).post(`/v1/vector_stores/${store}/upload`).set("authorization", `Bearer ${testKey}`);
  file = ((await sent.attach("file", Buffer.from("a text"), "a.txt").expect(200)).body as { id: string }).id;
});
beforeEach(() => {
  calls = [];
});
afterAll(() => service.close());

/** The same object; each call is noted with the signal among its arguments. */
const watched = <T extends object>(prefix: string, target: T): T =>
  Object.fromEntries(
    Object.entries(target).map(([name, value]: [string, unknown]) => {
      if (typeof value !== "function") return [name, value];
      const method = (...given: unknown[]): unknown => {
        const bounds = given.find((each) => typeof each === "object" && each !== null && "signal" in each);
        calls.push([prefix + name, bounds?.signal]);
        return Reflect.apply(value, target, given) as unknown;
      };
      return [name, method];
    }),
  ) as T;

const withSignal = (names: readonly string[]) => names.map((name) => [name, expect.any(AbortSignal)]);
const fresh = { id: "without-vector", content: "made by the model" };
const ndjson = (row: object) =>
  request(service.url)
    .post(batchPath(store))
    .set({ authorization: `Bearer ${testKey}`, "content-type": "application/x-ndjson" })
    .send(JSON.stringify(row));

test.each<[what: string, send: () => request.Test, names: string[]]>([
  [
    "a search that diversifies and joins neighbours",
    () => service.post(searchPath(store), { query: "x", ranking_options: { diversity: 0.5, expand: 1 } }),
    ["nearest", "read", "places"],
  ],
  [
    "a keyword search",
    () => service.post(searchPath(store), { query: "row", ranking_options: { search_mode: "keyword" } }),
    ["words.matching"],
  ],
  ["a page of rows", () => service.get(rowsPath(store)), ["page"]],
  ["the text of a file", () => service.get(`/v1/vector_stores/${store}/files/${file}/content`), ["page"]],
  ["an insertion of one row", () => service.post(rowsPath(store), fresh), ["compare", "write"]],
  ["an insertion of rows", () => service.post(batchPath(store), { embeddings: [fresh] }), ["compare", "write"]],
  ["a stream of rows", () => ndjson(fresh), ["compare", "write"]],
  ["a removal", () => service.delete(rowsPath(store), { ids: ["without-vector"] }), ["read", "write"]],
])("%s", async (_what, send, names) => {
  await send().expect(200);
  expect(calls).toEqual(withSignal(names));
});

test("an export", async () => {
  const wanted: ExportRequest = { stores: [store], filter: null, withVectors: true };
  const { stores } = await storesToExport(service.deps, wanted);
  const control = new AbortController();
  let rows = 0;
  for await (const page of exportRows(service.deps, stores, wanted, null, control.signal)) rows += page.rows.length;
  expect(rows).toBe(9);
  expect(calls).toEqual([["records.page", control.signal]]);

  control.abort();
  const after = exportRows(service.deps, stores, wanted, null, control.signal);
  expect(await after.next()).toEqual({ done: true, value: undefined });
});
