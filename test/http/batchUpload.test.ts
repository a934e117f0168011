import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { testDimensions, testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { batchPath, countsOf, createStore, rowOf, rowsOf, storedRows } from "../support/stores.js";
import { send } from "./requests.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Float32 numbers as Python's json writes them, and as base64: the stored bits must be the same. */
const numbers = Array.from({ length: testDimensions }, (_, i) => Math.fround(Math.sin(i + 1) / 10));
const base64 = Buffer.from(Float32Array.from(numbers).buffer).toString("base64");

test("a batch that arrives in parts of 7 bytes is stored exactly", async () => {
  const store = await createStore(service);
  const rows = [
    { id: "a", content: 'quotes " and \\ and [{', embedding: numbers, metadata: { embedding: [1, 2] } },
    { id: "b", content: "äöü 漢字", metadata: { k: "]}" }, embedding: base64 },
  ];
  const bytes = Buffer.from(JSON.stringify({ return: "ids", embeddings: rows }, null, 1));
  const parts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
  const answer = await send(service.url, { path: batchPath(store), body: parts });
  expect(answer).toMatchObject({ status: 200 });
  expect(JSON.parse(answer.text)).toMatchObject({ ids: ["a", "b"], count: 2 });
  const stored = await storedRows(service, store);
  expect(stored).toMatchObject(rows.map((row) => ({ ...row, embedding: numbers })));
});

test("a gzipped batch is stored", async () => {
  const store = await createStore(service);
  const body = gzipSync(JSON.stringify({ embeddings: rowsOf(50) }));
  const answer = await send(service.url, { path: batchPath(store), body, headers: { "content-encoding": "gzip" } });
  expect(answer.status).toBe(200);
  expect((await countsOf(service, store)).rows).toBe(50);
});

test("a bad row is answered while the sender is still sending, and nothing is stored", async () => {
  const store = await createStore(service);
  const status = await new Promise((resolve, reject) => {
    const sent = request(service.url + batchPath(store), {
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${testKey}`, "content-type": "application/json" },
    });
    sent.on("error", reject).on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.write(`{"embeddings":[${JSON.stringify(rowOf(1))},{"content":""},`);
  });
  expect(status).toBe(400);
  expect((await countsOf(service, store)).rows).toBe(0);
});
