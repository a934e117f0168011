import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import {
  type Row,
  batchPath,
  bodyOf,
  bytesOf,
  countsOf,
  createStore,
  errorOf,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  storedRows,
  stubLitellm,
} from "../../support/stores.js";

const asked: string[][] = [];
const vectorOfText = (text: string) => Float32Array.from(testVector(text.length + 1000, testDimensions));
const litellm = stubLitellm({
  embed: (texts) => {
    asked.push([...texts]);
    return Promise.resolve(texts.map(vectorOfText));
  },
});

let service: TestService;
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());

const post = (storeId: string, embeddings: unknown[], more: object = {}) =>
  service.post(batchPath(storeId), { embeddings, ...more });
interface BatchAnswer {
  ids: string[];
  data: { id: string; content: string }[];
  count: number;
  duplicates: number;
}

describe("one embedding", () => {
  test("has litellm-pgvector's shape in the answer", async () => {
    const storeId = await createStore(service);
    const row = rowOf(1, { metadata: { category: "returns", nested: { page: 3 } } });
    const body = await bodyOf(service.post(rowsPath(storeId), row).expect(200));
    expect(body).toEqual({
      id: expect.stringMatching(/^emb_[0-9a-f]{32}$/),
      object: "embedding",
      vector_store_id: storeId,
      content: "row 1",
      metadata: { category: "returns", nested: { page: 3 } },
      created_at: expect.any(Number),
    });
    const [stored] = await storedRows(service, storeId);
    expect(stored).toMatchObject({ id: (body as { id: string }).id, ...row });
  });

  test("without metadata it has {}", async () => {
    const storeId = await createStore(service);
    const body = await bodyOf(service.post(rowsPath(storeId), rowOf(1)).expect(200));
    expect(body).toMatchObject({ metadata: {} });
  });

  test("an error names only the field", async () => {
    const storeId = await createStore(service);
    const answer = await service.post(rowsPath(storeId), { content: "x", embedding: [1, 2] }).expect(400);
    expect(errorOf(answer)).toEqual({
      message: "embedding: expected 8 numbers, got 2",
      type: "invalid_request_error",
      param: "embedding",
      code: "invalid_value",
    });
  });
});

describe("a batch", () => {
  test("is answered with its rows in order, and ids are in order of time", async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(300, (seed) => ({ metadata: { seed } }));
    const body = await bodyOf(post(storeId, rows).expect(200));
    const answer = body as BatchAnswer;
    expect(body).toMatchObject({ object: "embedding.batch", count: 300, duplicates: 0, created: expect.any(Number) });
    expect(answer.data.map((row) => row.content)).toEqual(rows.map((row) => row.content));
    const ids = answer.data.map((row) => row.id);
    expect(new Set(ids).size).toBe(300);
    expect([...ids].sort()).toEqual(ids);
    const stored = await storedRows(service, storeId);
    expect(stored).toMatchObject(rows);
    expect(stored.map((row) => row.id)).toEqual(ids);
  });

  test("a later batch has later ids", async () => {
    const storeId = await createStore(service);
    const first = (await post(storeId, rowsOf(3), { return: "ids" }).expect(200)).body as BatchAnswer;
    const second = (await post(storeId, rowsOf(3), { return: "ids" }).expect(200)).body as BatchAnswer;
    const ids = [...first.ids, ...second.ids];
    expect([...ids].sort()).toEqual(ids);
  });

  test("one bad row of 1,000: nothing is stored", async () => {
    const storeId = await createStore(service);
    await post(storeId, rowsOf(2)).expect(200);
    const rows = rowsOf(1000);
    rows[998] = rowOf(999, { embedding: testVector(1, testDimensions - 1) });
    const answer = await post(storeId, rows).expect(400);
    expect(errorOf(answer).message).toBe("embeddings[998].embedding: expected 8 numbers, got 7");
    expect(await rowsInTable(service, storeId)).toBe(2);
    expect(await countsOf(service, storeId)).toEqual({ rows: 2, bytes: 10 });
  });

  test.each<[string, unknown, string, string]>([
    [
      "too few numbers",
      rowOf(1, { embedding: [1, 2, 3, 4, 5, 6, 7] }),
      "embeddings[17].embedding",
      "expected 8 numbers, got 7",
    ],
    [
      "too many numbers",
      rowOf(1, { embedding: Array(9).fill(1) }),
      "embeddings[17].embedding",
      "expected 8 numbers, got 9",
    ],
    ["no numbers", rowOf(1, { embedding: [] }), "embeddings[17].embedding", "must not be empty"],
    ["only zeros", rowOf(1, { embedding: Array(8).fill(0) }), "embeddings[17].embedding", "all numbers are zero"],
    [
      "a number beyond float32",
      rowOf(1, { embedding: [1, 2, 3, 1e39, 5, 6, 7, 8] }),
      "embeddings[17].embedding[3]",
      "expected a finite number",
    ],
    [
      "numbers whose square overflows float32",
      rowOf(1, { embedding: [3e38, 1, 1, 1, 1, 1, 1, 1] }),
      "embeddings[17].embedding",
      "too large",
    ],
    [
      "numbers whose square underflows to zero",
      rowOf(1, { embedding: Array(8).fill(1e-30) }),
      "embeddings[17].embedding",
      "too small",
    ],
    [
      "a null among the numbers",
      { content: "x", embedding: [1, 2, null, 4, 5, 6, 7, 8] },
      "embeddings[17].embedding[2]",
      "expected a number, received null",
    ],
    ["no content", { embedding: testVector(1, 8) }, "embeddings[17].content", ""],
    ["blank content", rowOf(1, { content: " \n" }), "embeddings[17].content", "must not be empty"],
    ["an empty id", rowOf(1, { id: "" }), "embeddings[17].id", "must not be empty"],
    ["an array as metadata", { ...rowOf(1), metadata: [] }, "embeddings[17].metadata", "expected an object"],
    ["no object", 5, "embeddings[17]", ""],
  ])("%s: the message names the row", async (_, bad, param, message) => {
    const storeId = await createStore(service);
    const answer = await post(storeId, [...rowsOf(17), bad, rowOf(19)]).expect(400);
    expect(errorOf(answer).param).toBe(param);
    expect(errorOf(answer).message.startsWith(`${param}: ${message}`)).toBe(true);
    expect(await rowsInTable(service, storeId)).toBe(0);
  });

  test("10,001 rows are stored in one transaction", async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(10_001);
    const accepted = await post(storeId, rows, { return: "count" }).expect(200);
    expect(accepted.body).toEqual({
      object: "embedding.batch",
      count: 10_001,
      duplicates: 0,
      created: expect.any(Number),
    });
    expect(await rowsInTable(service, storeId)).toBe(10_001);
    expect(await countsOf(service, storeId)).toEqual({ rows: 10_001, bytes: bytesOf(rows) });
  });

  test('`return` decides how much is answered; the default is "full"', async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(2);
    const keys = async (more: object) =>
      Object.keys((await post(storeId, rows, more).expect(200)).body as object).sort();
    expect(await keys({})).toEqual(["count", "created", "data", "duplicates", "object"]);
    expect(await keys({ return: null })).toEqual(await keys({ return: "full" }));
    expect(await keys({ return: "ids" })).toEqual(["count", "created", "duplicates", "ids", "object"]);
    expect(await keys({ return: "count" })).toEqual(["count", "created", "duplicates", "object"]);
    await post(storeId, rows, { return: "all" }).expect(400);
  });

  test("an embedding as base64 of float32 equals its numbers", async () => {
    const storeId = await createStore(service);
    const numbers = testVector(5, testDimensions);
    const base64 = Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
    await post(storeId, [rowOf(5), rowOf(5, { embedding: base64 })]).expect(200);
    const [first, second] = await storedRows(service, storeId);
    expect(first?.embedding).toEqual(numbers);
    expect(second?.embedding).toEqual(numbers);
    const short = Buffer.from(Float32Array.from(numbers.slice(1)).buffer).toString("base64");
    const answer = await post(storeId, [rowOf(5), rowOf(5, { embedding: short })]).expect(400);
    expect(errorOf(answer).message).toBe("embeddings[1].embedding: expected 8 numbers, got 7");
  });

  test("rows without an embedding are embedded in one call, among rows that have one", async () => {
    const storeId = await createStore(service);
    const rows: Row[] = [{ content: "a" }, rowOf(2), { content: "ccc", embedding: null }, rowOf(4)];
    asked.length = 0;
    await post(storeId, rows).expect(200);
    expect(asked).toEqual([["a", "ccc"]]);
    const stored = await storedRows(service, storeId);
    expect(stored.map((row) => row.embedding)).toEqual([
      [...vectorOfText("a")],
      testVector(2, testDimensions),
      [...vectorOfText("ccc")],
      testVector(4, testDimensions),
    ]);
  });

  test("contents count in UTF-8 bytes", async () => {
    const storeId = await createStore(service);
    await post(storeId, [rowOf(1, { content: "é" }), rowOf(2, { content: "😀" }), rowOf(3, { content: "a" })]).expect(
      200,
    );
    expect(await countsOf(service, storeId)).toEqual({ rows: 3, bytes: 7 });
  });

  test("contents of many megabytes are accepted, together more than one statement should carry", async () => {
    const storeId = await createStore(service);
    const content = "x".repeat(3_000_000);
    const rows = Array.from({ length: 20 }, (_, i) => rowOf(i + 1, { content: `${String(i)}${content}` }));
    await post(storeId, rows, { return: "count" }).expect(200);
    expect(await countsOf(service, storeId)).toEqual({ rows: 20, bytes: bytesOf(rows) });
  });

  test("an unknown store is 404, an expired one 400, and neither gets a row", async () => {
    const before = await rowsInTable(service);
    await post("vs_00000000000000000000000000000000", rowsOf(1)).expect(404);
    const storeId = await createStore(service, { expires_after: { anchor: "last_active_at", days: 1 } });
    service.advance(86_400_000 + 1000);
    const answer = await post(storeId, rowsOf(1)).expect(400);
    expect(errorOf(answer).code).toBe("vector_store_expired");
    expect(await rowsInTable(service)).toBe(before);
  });
});
