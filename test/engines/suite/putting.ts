import { describe, expect, test } from "@jest/globals";
import { IdConflict, Overtaken } from "../../../src/engines/engine.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

export function puttingSuite(name: string, suite: Suite): void {
  const { under, current, id, makeStore, put, idsIn, nearestIds, trueCount } = suite;

  describe(`${name}: putting chunks`, () => {
    test("stores them as they are, counts them, and the next search finds them", async () => {
      const store = await makeStore();
      const [a, b] = [id("a"), id("b")];
      const metadata = { n: 1.5, text: "é😀", nested: { list: [1, "a", null, true] } };
      const done = await put(store, [chunkOf(1, { id: a, metadata }), chunkOf(2, { id: b })]);
      expect(done).toMatchObject({ ids: [a, b], added: new Set([a, b]), removed: { chunks: 0, bytes: 0 } });
      expect(done.store).toMatchObject({ id: store.id, chunkCount: 2, contentBytes: done.addedBytes });
      const [read] = await under().engine.read(await current(store), [a, id("absent")], { embeddings: true });
      expect(read).toMatchObject({ id: a, content: "content 1", metadata, embedding: vectorOf(1) });
      expect(await nearestIds(store, 2, 1)).toEqual([b]);
      expect(await trueCount(store)).toBe(2);
    });

    test("makes missing ids, and returns all ids in the order of the chunks", async () => {
      const store = await makeStore();
      const { ids, added } = await put(store, [chunkOf(1), chunkOf(2, { id: id("given") }), chunkOf(3)]);
      expect(ids[1]).toBe(id("given"));
      expect(new Set(ids)).toEqual(added);
      const chunks = await under().engine.read(await current(store), ids, { embeddings: false });
      expect(new Map(chunks.map((chunk) => [chunk.id, chunk.content]))).toEqual(
        new Map(ids.map((each, i) => [each, `content ${i + 1}`])),
      );
      for (const each of ids) expect(under().engine.ids.read(each)).toBe(each);
    });

    test("error: the same chunk again is a duplicate; another one under its id is a conflict that stores nothing", async () => {
      const store = await makeStore();
      const [a, b, c] = [id("a"), id("b"), id("c")];
      const first = [chunkOf(1, { id: a, metadata: { k: 1 } }), chunkOf(2, { id: b })];
      await put(store, first);
      expect((await put(store, first)).added.size).toBe(0);
      expect((await put(store, [...first, chunkOf(3, { id: c })])).added).toEqual(new Set([c]));
      for (const other of [{ content: "other" }, { metadata: { k: 2 } }, { embedding: vectorOf(9) }]) {
        const changed = { ...chunkOf(1, { id: a, metadata: { k: 1 } }), ...other };
        const refused = put(store, [chunkOf(4, { id: id("d") }), changed]);
        await expect(refused).rejects.toBeInstanceOf(IdConflict);
        await expect(refused).rejects.toMatchObject({ ids: [a] });
      }
      expect(await idsIn(store)).toEqual([a, b, c]);
      expect(await trueCount(store)).toBe(3);
    });

    test("error: an embedding that a model made now is not compared; a missing one must be stored already", async () => {
      const store = await makeStore();
      const [a, b] = [id("a"), id("b")];
      await put(store, [chunkOf(1, { id: a })]);
      const remade = chunkOf(1, { id: a, embedding: vectorOf(7), embeddingMade: true });
      expect((await put(store, [remade])).added.size).toBe(0);
      expect((await put(store, [chunkOf(1, { id: a, embedding: null })])).added.size).toBe(0);
      await expect(put(store, [chunkOf(2, { id: b, embedding: null })])).rejects.toBeInstanceOf(Overtaken);
      expect(await under().engine.compare(store, [remade, chunkOf(2, { id: b })])).toEqual(new Map([[a, true]]));
      expect(await under().engine.compare(store, [chunkOf(3, { id: a })])).toEqual(new Map([[a, false]]));
    });

    test("skip leaves stored chunks as they are; replace writes over them", async () => {
      const store = await makeStore();
      const [a, b, c] = [id("a"), id("b"), id("c")];
      await put(store, [chunkOf(1, { id: a }), chunkOf(2, { id: b })]);
      const skipped = await put(store, [chunkOf(5, { id: a }), chunkOf(3, { id: c })], "skip");
      expect(skipped.added).toEqual(new Set([c]));
      expect(await nearestIds(store, 1, 1)).toEqual([a]);
      const replaced = await put(store, [chunkOf(5, { id: a, content: "a longer content" })], "replace");
      expect(replaced).toMatchObject({ added: new Set([a]), removed: { chunks: 1 } });
      expect(await nearestIds(store, 5, 1)).toEqual([a]);
      const [read] = await under().engine.read(await current(store), [a], { embeddings: false });
      expect(read?.content).toBe("a longer content");
      expect(await trueCount(store)).toBe(3);
    });

    test("concurrent puts with the same ids keep the counters true", async () => {
      const store = await makeStore();
      const batches = Array.from({ length: 6 }, (_, n) =>
        Array.from({ length: 10 }, (_each, i) => chunkOf(i + 1, { id: id(`c${(n * 7 + i) % 30}`), content: "same" })),
      );
      await Promise.all(batches.map((batch) => put(store, batch, "skip")));
      expect(await trueCount(store)).toBe((await idsIn(store)).length);
    });

    test("storing a file's chunks again under the same ids changes nothing", async () => {
      const store = await makeStore();
      const base = "0123456789abcdef01230001";
      const chunks = [0, 1].map((n) => chunkOf(n + 1, { id: under().engine.ids.ofFile(base, n) }));
      await put(store, chunks, "skip");
      expect((await put(store, chunks, "skip")).added.size).toBe(0);
      expect(await trueCount(store)).toBe(2);
      expect(under().engine.ids.derived(["x", "1"])).toBe(under().engine.ids.derived(["x", "1"]));
      expect(under().engine.ids.derived(["x", "1"])).not.toBe(under().engine.ids.derived(["x1"]));
    });
  });
}
