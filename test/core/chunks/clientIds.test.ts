import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createTestDatabase } from "../../support/database.js";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import {
  type Row,
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  errorOf,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  storedRows,
  recordingLitellm,
} from "../../support/stores.js";

/** Every text sent to the model. Its vectors differ from call to call, as a real model's do in their last bits. */
const { litellm, asked } = recordingLitellm((_text, i, sofar) => sofar.length * 31 + i);

let service: TestService;
let prefix = 0;
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());
beforeEach(() => {
  asked.length = 0;
  prefix += 1;
});

const id = (name: string | number) => `doc-${String(prefix)}-${String(name)}`;
const named = (count: number) => rowsOf(count, (seed) => ({ id: id(seed), metadata: { seed } }));
const unembedded = (count: number): Row[] =>
  named(count).map(({ id: own, content, metadata }) => ({ id: own, content, metadata }));

const post = (storeId: string, embeddings: readonly unknown[]) =>
  service.post(batchPath(storeId), { embeddings, return: "ids" });

describe("a client's own ids", () => {
  test("are kept, and a repeated batch adds nothing", async () => {
    const storeId = await createStore(service);
    const rows = named(5);
    const first = await post(storeId, rows).expect(200);
    expect(first.body).toMatchObject({ ids: rows.map((row) => row.id), count: 5, duplicates: 0 });
    const again = await post(storeId, rows).expect(200);
    expect(again.body).toMatchObject({ ids: rows.map((row) => row.id), count: 5, duplicates: 5 });
    expect(await rowsInTable(service, storeId)).toBe(5);
    expect(await countsOf(service, storeId)).toEqual({ rows: 5, bytes: bytesOf(rows) });
  });

  test("a half-stored batch is completed", async () => {
    const storeId = await createStore(service);
    const rows = named(6);
    await post(storeId, [rows[1], rows[4]]).expect(200);
    const answer = await post(storeId, rows).expect(200);
    expect(answer.body).toMatchObject({ ids: rows.map((row) => row.id), duplicates: 2 });
    expect(await storedRows(service, storeId)).toMatchObject(rows);
    expect(await countsOf(service, storeId)).toEqual({ rows: 6, bytes: bytesOf(rows) });
  });

  test("a single embedding may be repeated too", async () => {
    const storeId = await createStore(service);
    for (let i = 0; i < 2; i += 1) {
      const answer = await service.post(rowsPath(storeId), rowOf(1, { id: id(1) })).expect(200);
      expect(answer.body).toMatchObject({ id: id(1), object: "embedding" });
    }
    expect(await countsOf(service, storeId)).toEqual({ rows: 1, bytes: 5 });
  });

  test.each<[string, Partial<Row>]>([
    ["content", { content: "other" }],
    ["metadata", { metadata: { seed: "3" } }],
    ["no metadata", { metadata: null }],
    ["embedding", { embedding: testVector(99, testDimensions) }],
  ])("a repeat with other %s is 409, and none of its batch is stored", async (_, change) => {
    const storeId = await createStore(service);
    const [one, two, three, four] = named(4);
    await post(storeId, [three]).expect(200);
    const answer = await post(storeId, [one, two, { ...three, ...change }, four]).expect(409);
    expect(errorOf(answer)).toEqual({
      message: "embeddings[2].id: exists already with other content, metadata or embedding",
      type: "invalid_request_error",
      param: "embeddings[2].id",
      code: "conflict",
    });
    expect(await storedRows(service, storeId)).toMatchObject([three]);
    expect(await countsOf(service, storeId)).toEqual({ rows: 1, bytes: 5 });
  });

  test("absent metadata, null and {} are the same", async () => {
    const storeId = await createStore(service);
    const variants = [
      rowOf(1, { id: id(1) }),
      rowOf(1, { id: id(1), metadata: null }),
      rowOf(1, { id: id(1), metadata: {} }),
    ];
    for (const row of variants) await post(storeId, [row]).expect(200);
    await post(storeId, variants).expect(200);
    expect(await rowsInTable(service, storeId)).toBe(1);
  });

  test("the same row twice in one batch is stored once", async () => {
    const storeId = await createStore(service);
    const [one, two] = named(2);
    const answer = await post(storeId, [one, two, one, rowOf(7), one]).expect(200);
    expect(answer.body).toMatchObject({ count: 5, duplicates: 2 });
    const { ids } = answer.body as { ids: string[] };
    expect([ids[0], ids[2], ids[4]]).toEqual([id(1), id(1), id(1)]);
    expect(await rowsInTable(service, storeId)).toBe(3);
    expect(await countsOf(service, storeId)).toEqual({ rows: 3, bytes: 15 });
  });

  test("one id with two contents in a batch is 400", async () => {
    const storeId = await createStore(service);
    const answer = await post(storeId, [rowOf(1, { id: id(1) }), rowOf(2), rowOf(3, { id: id(1) })]).expect(400);
    expect(errorOf(answer).message).toBe("embeddings[2].id: repeats the id of embeddings[0] with other content");
    expect(await rowsInTable(service, storeId)).toBe(0);
  });

  test("a retry without embeddings asks the model only for missing rows", async () => {
    const storeId = await createStore(service);
    const rows = unembedded(4);
    await post(storeId, rows.slice(0, 3)).expect(200);
    expect(asked).toEqual(["row 1", "row 2", "row 3"]);
    const answer = await post(storeId, rows).expect(200);
    expect(answer.body).toMatchObject({ duplicates: 3 });
    expect(asked).toEqual(["row 1", "row 2", "row 3", "row 4"]);
    expect(await countsOf(service, storeId)).toEqual({ rows: 4, bytes: 20 });
  });

  test("a repeat with other content is refused before a model call", async () => {
    const storeId = await createStore(service);
    const [row] = unembedded(1);
    await post(storeId, [row]).expect(200);
    await post(storeId, [{ content: "new" }, { ...row, content: "changed" }]).expect(409);
    expect(asked).toEqual(["row 1"]);
  });

  test("a row that occurs twice in a batch is embedded once", async () => {
    const storeId = await createStore(service);
    const [row] = unembedded(1);
    await post(storeId, [row, row]).expect(200);
    expect(asked).toEqual(["row 1"]);
  });
});

const tableOf = (idColumn: string) => `
  CREATE TABLE vector_stores (id text PRIMARY KEY, name text NOT NULL);
  CREATE TABLE embeddings (id ${idColumn}, vector_store_id text NOT NULL REFERENCES vector_stores (id) ON DELETE CASCADE,
    content text NOT NULL, embedding vector(8) NOT NULL, metadata jsonb, created_at timestamptz NOT NULL DEFAULT now())`;

describe("ids in a column of another type than text", () => {
  const withTable = async (idColumn: string, work: (adopted: TestService) => Promise<void>) => {
    const database = await createTestDatabase();
    await database.exec(tableOf(idColumn));
    const adopted = await startService({ database, litellm });
    try {
      await work(adopted);
    } finally {
      await adopted.close();
    }
  };

  test("a uuid is one id in upper and lower case", async () => {
    await withTable("uuid PRIMARY KEY", async (adopted) => {
      const storeId = await createStore(adopted);
      const lower = "0abcdef0-1234-4321-8888-abcdefabcdef";
      const rows = [rowOf(1, { id: lower.toUpperCase() }), rowOf(1, { id: lower })];
      for (const duplicates of [1, 2]) {
        const answer = await adopted.post(batchPath(storeId), { embeddings: rows, return: "ids" }).expect(200);
        expect(answer.body).toMatchObject({ ids: [lower, lower], count: 2, duplicates });
      }
      expect(await countsOf(adopted, storeId)).toEqual({ rows: 1, bytes: 5 });
      const answer = await adopted.post(batchPath(storeId), { embeddings: [rowOf(1, { id: "doc-1" })] }).expect(400);
      expect(errorOf(answer).param).toBe("embeddings[0].id");
    });
  });

  test("a bigint is one id in any notation", async () => {
    await withTable("bigint PRIMARY KEY", async (adopted) => {
      const storeId = await createStore(adopted);
      const rows = ["7", "007", "-0", "0"].map((each) => rowOf(1, { id: each }));
      const answer = await adopted.post(batchPath(storeId), { embeddings: rows, return: "ids" }).expect(200);
      expect(answer.body).toMatchObject({ ids: ["7", "7", "0", "0"], duplicates: 2 });
      expect(await countsOf(adopted, storeId)).toEqual({ rows: 2, bytes: 10 });
      await adopted.post(batchPath(storeId), { embeddings: [rowOf(1, { id: "9223372036854775808" })] }).expect(400);
    });
  });

  test("the column's own sequence skips ids that clients used", async () => {
    await withTable("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", async (adopted) => {
      const storeId = await createStore(adopted);
      const taken = rowsOf(20, (seed) => ({ id: String(seed) }));
      await adopted.post(batchPath(storeId), { embeddings: taken }).expect(200);
      // The first one equals the row with the sequence's first number, but is still a second row.
      const answer = await adopted.post(batchPath(storeId), { embeddings: rowsOf(3), return: "ids" }).expect(200);
      expect(answer.body).toMatchObject({ count: 3, duplicates: 0 });
      expect(new Set([...(answer.body as { ids: string[] }).ids, ...taken.map((row) => row.id)]).size).toBe(23);
      expect(await countsOf(adopted, storeId)).toEqual({ rows: 23, bytes: bytesOf([...taken, ...rowsOf(3)]) });
    });
  });
});
