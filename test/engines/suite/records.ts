import { describe, expect, test } from "@jest/globals";
import { Overtaken } from "../../../src/engines/engine.js";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import { keyOfChunk } from "../../../src/words/chunk.js";
import { type StoredChunk, digestOf } from "../../../src/words/rows.js";
import type { VectorStore } from "../../../src/words/store.js";
import { type Suite, vectorOf } from "./support.js";
import { testDimensions } from "../../support/settings.js";

const page = { after: null, limit: 10, filter: null, vectors: true, without: new Set<string>() };

const record = (store: VectorStore, n: number, overrides: Partial<StoredChunk> = {}): StoredChunk => ({
  id: `${store.id}-r${n}`,
  storeId: store.id,
  content: `content ${n}`,
  metadata: "{}",
  vector: toNetworkOrder(vectorOf(n + 1)),
  createdAt: 1_700_000_000_123_456 + n,
  ...overrides,
});

/** Chunks as import and export move them. */
export function recordsSuite(name: string, suite: Suite): void {
  const { under, current, makeStore, dropStore } = suite;

  describe(`${name}: records`, () => {
    test("are read back unchanged, marked by their digests, counted, and found", async () => {
      const { engine, now } = under();
      const [one, two] = [await makeStore(), await makeStore()];
      const [metadata = ""] = await engine.records.canonicalJson(['{"b": [1, "x"], "a": true}']);
      expect(await engine.records.canonicalJson([metadata])).toEqual([metadata]);
      const chunks = [record(one, 1, { metadata }), record(two, 2), record(one, 3)];
      await engine.records.add(chunks, { readBack: null, now: now() });
      const marks = await engine.records.marks([...chunks, { id: "absent", storeId: one.id }]);
      expect(marks).toEqual(
        new Map(chunks.map((each) => [keyOfChunk(each), { storeId: each.storeId, digest: digestOf(each) }])),
      );
      const first = await engine.records.page(await current(one), page);
      expect(first).toMatchObject({ hasMore: false, hidden: [] });
      expect(first.chunks).toEqual([chunks[0], chunks[2]]);
      expect(await current(one)).toMatchObject({ chunkCount: 2, embeddingDimensions: testDimensions });
      const query = { embedding: vectorOf(3), filter: null, limit: 1, recall: "high" as const };
      expect(await engine.nearest(await current(two), query)).toMatchObject([{ id: chunks[1]?.id }]);
    });

    test("pages continue after an id, leave out vectors if none are wanted, and leave out files", async () => {
      const { engine, now } = under();
      const store = await makeStore();
      const [inFile = ""] = await engine.records.canonicalJson(['{"file_id": "file-x"}']);
      const chunks = [1, 2, 3, 4].map((n) => record(store, n, n === 3 ? { metadata: inFile } : {}));
      await engine.records.add(chunks, { readBack: null, now: now() });
      const after = chunks[0]?.id ?? null;
      const second = await engine.records.page(await current(store), { ...page, after, limit: 2, vectors: false });
      expect(second).toMatchObject({ hasMore: true, chunks: [{ id: chunks[1]?.id, vector: null }, { vector: null }] });
      const without = await engine.records.page(await current(store), { ...page, without: new Set(["file-x"]) });
      expect(without.chunks).toHaveLength(3);
    });

    test("an existing id is not added again, and neither are the chunks beside it", async () => {
      const { engine, now } = under();
      const store = await makeStore();
      await engine.records.add([record(store, 1)], { readBack: null, now: now() });
      const again = engine.records.add([record(store, 2), record(store, 1)], { readBack: null, now: now() });
      await expect(again).rejects.toBeInstanceOf(Overtaken);
      expect(await current(store)).toMatchObject({ chunkCount: 1 });
      expect(await engine.count(store, null)).toMatchObject({ chunks: 1 });
    });

    test("an error in readBack undoes the addition", async () => {
      const { engine, now } = under();
      const store = await makeStore();
      const wrong = new Error("not as read");
      const chunks = [record(store, 1), record(store, 2)];
      let seen = 0;
      const readBack = (marks: ReadonlyMap<string, unknown>) => {
        seen = marks.size;
        throw wrong;
      };
      await expect(engine.records.add(chunks, { readBack, now: now() })).rejects.toBe(wrong);
      expect(seen).toBe(2);
      expect(await engine.count(store, null)).toEqual({ chunks: 0, bytes: 0 });
      expect(await current(store)).toMatchObject({ chunkCount: 0 });
    });

    test("vectors of stored chunks are found by id, if content and metadata agree", async () => {
      const { engine, now } = under();
      const store = await makeStore();
      const stored = record(store, 1);
      await engine.records.add([stored], { readBack: null, now: now() });
      const known = await engine.records.vectors([stored, { ...stored, id: "absent" }]);
      expect(known).toEqual(new Map([[keyOfChunk(stored), stored.vector]]));
      const other = { ...stored, content: "other" };
      expect(await engine.records.vectors([other])).toEqual(new Map([[keyOfChunk(stored), null]]));
    });

    test("an id of another store is that store's alone, or is known to be taken", async () => {
      const { engine, now } = under();
      const [one, two] = [await makeStore(), await makeStore()];
      const mine = record(one, 1, { id: `${one.id}-shared` });
      const theirs = { ...mine, storeId: two.id, content: "of another store", vector: toNetworkOrder(vectorOf(9)) };
      await engine.records.add([mine], { readBack: null, now: now() });
      const mark = { storeId: one.id, digest: digestOf(mine) };
      if (!engine.ids.perStore) {
        expect(await engine.records.marks([mine, theirs])).toEqual(
          new Map([
            [keyOfChunk(mine), mark],
            [keyOfChunk(theirs), mark],
          ]),
        );
        expect(await engine.records.vectors([theirs])).toEqual(new Map([[keyOfChunk(theirs), null]]));
        const added = engine.records.add([theirs], { readBack: null, now: now() });
        await expect(added).rejects.toBeInstanceOf(Overtaken);
        return;
      }
      expect(await engine.records.marks([mine, theirs])).toEqual(new Map([[keyOfChunk(mine), mark]]));
      expect(await engine.records.vectors([theirs])).toEqual(new Map());
      let seen = new Map<string, unknown>();
      const readBack = (marks: ReadonlyMap<string, unknown>) => (seen = new Map(marks));
      const [first, second] = [record(one, 2, { id: `${one.id}-both` }), record(two, 3, { id: `${one.id}-both` })];
      await engine.records.add([theirs, first, second], { readBack, now: now() });
      expect([...seen.keys()].toSorted()).toEqual([theirs, first, second].map(keyOfChunk).toSorted());
      expect(await engine.records.vectors([mine, theirs])).toEqual(
        new Map([
          [keyOfChunk(mine), mine.vector],
          [keyOfChunk(theirs), theirs.vector],
        ]),
      );
      for (const [store, chunks] of [
        [one, [first, mine]],
        [two, [second, theirs]],
      ] as const) {
        expect((await engine.records.page(await current(store), page)).chunks).toEqual(chunks);
        expect(await current(store)).toMatchObject({ chunkCount: 2 });
        const query = { embedding: vectorOf(store === one ? 2 : 9), filter: null, limit: 1, recall: "high" as const };
        expect(await engine.nearest(await current(store), query)).toMatchObject([{ content: chunks[1].content }]);
      }
    });

    test("adding records to a deleted store fails as gone", async () => {
      const { engine, now } = under();
      const store = await makeStore();
      await dropStore(store);
      const added = engine.records.add([record(store, 1)], { readBack: null, now: now() });
      await expect(added).rejects.toMatchObject({ kind: "gone" });
    });
  });
}
