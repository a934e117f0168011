import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { testDimensions, testKey } from "../../support/settings.js";
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
  postText,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  searchStore,
  storedRows,
  recordingLitellm,
} from "../../support/stores.js";

const { litellm, asked } = recordingLitellm((text) => text.length);

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

const id = (name: string | number) => `up-${prefix}-${name}`;
const named = (count: number) => rowsOf(count, (seed) => ({ id: id(seed), metadata: { seed } }));
const send = (storeId: string, embeddings: readonly Row[], rule: string) =>
  service.post(batchPath(storeId), { embeddings, on_conflict: rule });

describe("on_conflict", () => {
  test("error, the default, counts equal rows and refuses others", async () => {
    const storeId = await createStore(service);
    const rows = named(2);
    const first = await send(storeId, rows, "error").expect(200);
    expect(first.body).toMatchObject({ count: 2, added: 2, replaced: 0, skipped: 0, duplicates: 0 });
    const again = await send(storeId, rows, "error").expect(200);
    expect(again.body).toMatchObject({ count: 2, added: 0, replaced: 0, skipped: 0, duplicates: 2 });
    const refused = await send(storeId, [rowOf(9, { id: id(9) }), { ...rowOf(5), id: id(2) }], "error").expect(409);
    expect(errorOf(refused)).toMatchObject({ param: "embeddings[1].id", code: "conflict" });
    expect(await storedRows(service, storeId)).toMatchObject(rows);
  });

  test("skip leaves stored rows as they are, and answers with them", async () => {
    const storeId = await createStore(service);
    const rows = named(2);
    await send(storeId, rows, "skip").expect(200);
    service.advance(120_000);
    const other = { ...rowOf(7), id: id(1), metadata: { other: true } };
    const answer = await send(storeId, [other, rowOf(3, { id: id(3) })], "skip").expect(200);
    expect(answer.body).toMatchObject({ count: 2, added: 1, replaced: 0, skipped: 1, duplicates: 0 });
    expect((answer.body as { data: object[] }).data).toMatchObject([
      { id: id(1), content: "row 1", metadata: { seed: 1 } },
      { id: id(3), content: "row 3" },
    ]);
    const [, moved] = (answer.body as { data: { created_at: number }[] }).data;
    const [kept] = (answer.body as { data: { created_at: number }[] }).data;
    expect((moved?.created_at ?? 0) - (kept?.created_at ?? 0)).toBeGreaterThan(60);
    // A skipped row without an embedding costs no model call.
    await send(storeId, [{ id: id(1), content: "anything" }], "skip").expect(200);
    expect(asked).toEqual([]);
    expect(await countsOf(service, storeId)).toEqual({ rows: 3, bytes: 15 });
  });

  test("replace writes the new row, keeps its creation time, and moves counters and searches", async () => {
    const storeId = await createStore(service, { search_mode: "hybrid" });
    const rows = named(3);
    const created = await bodyOf(send(storeId, rows, "replace").expect(200));
    await searchStore(service, storeId, "row");
    service.advance(120_000);
    const other = { id: id(2), content: "a much longer zebra", embedding: testVector(20, testDimensions) };
    const answer = await send(storeId, [rows[0], other, rowOf(4, { id: id(4) })] as Row[], "replace").expect(200);
    expect(answer.body).toMatchObject({ count: 3, added: 1, replaced: 1, skipped: 0, duplicates: 1 });
    const [before] = (created as { data: { created_at: number }[] }).data;
    const after = (answer.body as { data: { created_at: number }[] }).data;
    expect(after[1]?.created_at).toBe(before?.created_at);
    const stored = await storedRows(service, storeId);
    expect(stored.map((row) => [row.content, row.metadata])).toEqual([
      ["row 1", { seed: 1 }],
      ["a much longer zebra", {}],
      ["row 3", { seed: 3 }],
      ["row 4", {}],
    ]);
    expect(await countsOf(service, storeId)).toEqual({ rows: 4, bytes: bytesOf(stored) });
    const mode = (search_mode: string) => ({ ranking_options: { search_mode } });
    expect((await searchStore(service, storeId, "zebra", mode("keyword"))).map((hit) => hit.id)).toEqual([id(2)]);
    expect((await searchStore(service, storeId, "2", mode("keyword"))).map((hit) => hit.id)).toEqual([]);
  });

  test("replace embeds what changed, and only that", async () => {
    const storeId = await createStore(service);
    const rows: Row[] = [1, 2].map((seed) => ({ id: id(seed), content: `text ${seed}` }));
    await send(storeId, rows, "replace").expect(200);
    const changed = [...rows.slice(0, 1), { id: id(2), content: "another text" }];
    asked.length = 0;
    await send(storeId, changed, "replace").expect(200);
    expect(asked).toEqual(["another text"]);
    const stored = await storedRows(service, storeId);
    expect(stored[1]?.embedding).toEqual([...Float32Array.from(testVector("another text".length, testDimensions))]);
  });

  test("a bad row keeps a whole batch from replacing anything", async () => {
    const storeId = await createStore(service);
    const rows = named(2);
    await send(storeId, rows, "replace").expect(200);
    const twice = [rowOf(5, { id: id(1) }), rowOf(6, { id: id(2) }), rowOf(7, { id: id(1) })];
    const answer = await send(storeId, twice, "replace").expect(400);
    expect(errorOf(answer).message).toBe("embeddings[2].id: repeats the id of embeddings[0] with other content");
    expect(await storedRows(service, storeId)).toMatchObject(rows);
  });

  test("a single row says what became of it", async () => {
    const storeId = await createStore(service);
    const results = [];
    for (const [seed, rule] of [
      [1, "replace"],
      [1, "replace"],
      [2, "replace"],
      [3, "skip"],
    ] as const) {
      const body = { ...rowOf(seed, { id: id(1) }), on_conflict: rule };
      results.push(((await service.post(rowsPath(storeId), body).expect(200)).body as { result: string }).result);
    }
    expect(results).toEqual(["added", "duplicate", "replaced", "skipped"]);
    const inQuery = await service.post(`${rowsPath(storeId)}?on_conflict=replace`, rowOf(4, { id: id(1) })).expect(200);
    expect(inQuery.body).toMatchObject({ content: "row 4", result: "replaced" });
    const plain = await service.post(rowsPath(storeId), rowOf(4, { id: id(1) })).expect(200);
    expect(plain.body).not.toHaveProperty("result");
    const both = { ...rowOf(4, { id: id(1) }), on_conflict: "skip" };
    const refused = await service.post(`${rowsPath(storeId)}?on_conflict=replace`, both).expect(400);
    expect(errorOf(refused).param).toBe("on_conflict");
    const unknown = await service.post(rowsPath(storeId), { ...both, on_conflict: "update" }).expect(400);
    expect(errorOf(unknown).param).toBe("on_conflict");
  });

  test("a stream names its rule in the query string and counts each outcome", async () => {
    const storeId = await createStore(service);
    await send(storeId, named(2), "error").expect(200);
    const lines = [rowOf(7, { id: id(1) }), ...named(3).slice(1)].map((row) => JSON.stringify(row)).join("\n");
    const path = (rule: string) => `${batchPath(storeId)}?on_conflict=${rule}`;
    const answer = await postText(service, path("replace"), lines, "application/x-ndjson");
    const last = JSON.parse(answer.text.trim().split("\n").at(-1) ?? "") as object;
    expect(last).toMatchObject({ count: 3, added: 1, replaced: 1, skipped: 0, duplicates: 1 });
    const skipped = await postText(service, path("skip"), lines, "application/x-ndjson");
    expect(skipped.text).toContain('"skipped":3');
    expect((await postText(service, path("upsert"), lines, "application/x-ndjson")).status).toBe(400);
  });

  test("a file's chunks cannot be replaced, whatever the row says", async () => {
    const storeId = await createStore(service);
    await request(service.url)
      .post(`/v1/vector_stores/${storeId}/upload`)
      .set("authorization", `Bearer ${testKey}`)
      .attach("file", Buffer.from("The words of a document."), "doc.txt")
      .expect(200);
    const [chunk] = await storedRows(service, storeId);
    if (chunk === undefined) throw new Error("the file has no chunk");
    for (const row of [
      { ...rowOf(1), id: chunk.id },
      { ...chunk, embedding: testVector(3, testDimensions) },
    ]) {
      const answer = await send(storeId, [rowOf(2, { id: id(2) }), row], "replace").expect(409);
      expect(errorOf(answer)).toMatchObject({ param: "embeddings[1].id", code: "conflict" });
      expect(errorOf(answer).message).toMatch(/is a chunk of the file 'file-\w+'/);
    }
    expect(await storedRows(service, storeId)).toEqual([chunk]);
    // A client's own row may have the name of a file that is not attached.
    const own = rowOf(4, { id: id(4), metadata: { ...chunk.metadata, file_id: "file-elsewhere" } });
    await send(storeId, [own], "replace").expect(200);
    const again = await send(storeId, [{ ...own, content: "changed" }], "replace").expect(200);
    expect(again.body).toMatchObject({ replaced: 1 });
  });
});

describe("many writers", () => {
  test("replacing the same rows at once neither deadlock nor lose or double a row", async () => {
    const storeId = await createStore(service);
    const ids = Array.from({ length: 25 }, (_, i) => id(i));
    const batch = (writer: number, round: number) => {
      const rows = ids.map((each, i) =>
        rowOf(writer * 1000 + round * 100 + i, { id: each, metadata: { writer, round } }),
      );
      return writer % 2 === 0 ? rows : rows.reverse();
    };
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      for (let round = 0; round < 4; round += 1) await send(storeId, batch(writer, round), "replace").expect(200);
      await send(storeId, [rowOf(writer, { id: id(`own-${writer}`) })], "replace").expect(200);
    });
    await Promise.all(writers);
    const stored = await storedRows(service, storeId);
    expect(stored).toHaveLength(ids.length + 12);
    expect(await rowsInTable(service, storeId)).toBe(stored.length);
    expect(await countsOf(service, storeId)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
    // Every row is as one writer sent it, and a batch replaces all of its rows or none: all are of the same one.
    const shared = stored.filter((row) => ids.includes(row.id));
    expect(new Set(shared.map((row) => JSON.stringify(row.metadata))).size).toBe(1);
    const { writer, round } = shared[0]?.metadata as { writer: number; round: number };
    const sent = new Map(batch(writer, round).map((row) => [row.id, row]));
    for (const row of shared) expect(row).toMatchObject(sent.get(row.id) ?? {});
  });

  test("replacements, insertions and deletions of the same rows leave counters true", async () => {
    const storeId = await createStore(service);
    const rows = named(20);
    const answers = await Promise.all(
      Array.from({ length: 18 }, (_, n) =>
        n % 3 === 0
          ? service.delete(rowsPath(storeId), { ids: rows.slice(n % 7, 12).map((row) => row.id) })
          : send(
              storeId,
              rowsOf(20, (seed) => ({ id: id(seed), content: `of ${n}` })),
              n % 3 === 1 ? "replace" : "skip",
            ),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(18).fill(200));
    const stored = await storedRows(service, storeId);
    expect(await countsOf(service, storeId)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
  });
});
