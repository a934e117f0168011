import { describe, expect, test } from "@jest/globals";
import { IdConflict, Overtaken } from "../../../src/engines/engine.js";
import type { Amendment } from "../../../src/words/chunk.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

export function puttingSuite(name: string, suite: Suite): void {
  const { under, current, change, id, makeStore, put, idsIn, nearestIds, trueCount } = suite;

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
      expect(await under().engine.compare(store, [remade, chunkOf(2, { id: b })])).toEqual(new Map([[a, "same"]]));
      expect(await under().engine.compare(store, [chunkOf(3, { id: a })])).toEqual(new Map([[a, "other"]]));
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

    test("replace keeps the creation time, and leaves the same chunk as it is", async () => {
      const store = await makeStore();
      const [a, b, c] = [id("a"), id("b"), id("c")];
      const createdAt = under().now();
      await put(store, [chunkOf(1, { id: a, metadata: { k: 1 } }), chunkOf(2, { id: b })]);
      under().advance(60_000);
      const same = chunkOf(1, { id: a, metadata: { k: 1 } });
      const remade = { ...same, embedding: vectorOf(8), embeddingMade: true };
      for (const chunk of [same, remade, { ...same, embedding: null }])
        expect((await put(store, [chunk], "replace")).added.size).toBe(0);
      const other = chunkOf(6, { id: b, metadata: { k: 2 } });
      const done = await put(store, [same, other, chunkOf(3, { id: c })], "replace");
      expect(done).toMatchObject({ ids: [a, b, c], added: new Set([b, c]), removed: { chunks: 1 } });
      expect([...done.replaced.keys()]).toEqual([b]);
      const read = await under().engine.read(await current(store), [b], { embeddings: true });
      expect(read).toMatchObject([{ content: "content 6", metadata: { k: 2 }, embedding: vectorOf(6) }]);
      const [told = 0, stored] = [done.replaced.get(b), read[0]?.createdAt];
      expect(told).toBe(stored);
      expect(Math.abs(told - createdAt)).toBeLessThan(30_000);
      // What is not given must be stored as it is said to be.
      for (const unknown of [chunkOf(9, { id: b, embedding: null }), chunkOf(9, { id: id("d"), embedding: null })])
        await expect(put(store, [unknown], "replace")).rejects.toBeInstanceOf(Overtaken);
      await expect(put(store, [chunkOf(9, { id: id("d"), embedding: null })], "skip")).rejects.toBeInstanceOf(
        Overtaken,
      );
      expect(await trueCount(store)).toBe(3);
    });

    test("amend changes what is given of a chunk, for the next search too, and nothing else", async () => {
      const store = await makeStore();
      const [a, b] = [id("a"), id("b")];
      await put(store, [chunkOf(1, { id: a, metadata: { k: 1 } }), chunkOf(2, { id: b })]);
      const amend = (chunk: string, given: Partial<Amendment>) =>
        change(store, [{ do: "amend", id: chunk, content: null, metadata: null, embedding: null, ...given }]);
      const stored = async () => (await under().engine.read(await current(store), [a], { embeddings: true }))[0];
      const first = await stored();
      expect([...(await amend(a, { metadata: { m: 1 } })).replaced.keys()]).toEqual([a]);
      expect(await stored()).toEqual({ ...first, metadata: { m: 1 } });
      await amend(a, { content: "longer than before" });
      expect(await stored()).toEqual({ ...first, metadata: { m: 1 }, content: "longer than before" });
      await amend(a, { embedding: vectorOf(5) });
      expect(await nearestIds(store, 5, 1)).toEqual([a]);
      expect(await nearestIds(store, 2, 1)).toEqual([b]);
      expect((await amend(id("none"), { content: "x" })).replaced.size).toBe(0);
      expect(await trueCount(store)).toBe(2);
    });

    test("concurrent replacements of the same ids in any order leave one whole chunk per id", async () => {
      const store = await makeStore();
      const batchOf = (n: number) =>
        Array.from({ length: 12 }, (_, i) =>
          chunkOf(n * 100 + i, {
            id: id(`c${(n % 2 === 0 ? i : 11 - i) % 8}x${i}`),
            content: `of ${n} ${"x".repeat(n)}`,
          }),
        );
      const writing = Array.from({ length: 8 }, (_, n) => put(store, batchOf(n), "replace"));
      const removing = Array.from({ length: 3 }, () => change(store, [{ do: "remove", which: { ids: [id("c0x0")] } }]));
      await Promise.all([...writing, ...removing]);
      expect(await trueCount(store)).toBe((await idsIn(store)).length);
      await put(store, batchOf(9), "replace");
      for (const { id: each, content } of batchOf(9)) {
        const [read] = await under().engine.read(await current(store), [each ?? ""], { embeddings: false });
        expect(read?.content).toBe(content);
      }
      expect(await trueCount(store)).toBe((await idsIn(store)).length);
    });

    test("concurrent puts with the same ids keep the counters true", async () => {
      const store = await makeStore();
      const batches = Array.from({ length: 6 }, (_, n) =>
        Array.from({ length: 10 }, (_each, i) => chunkOf(i + 1, { id: id(`c${(n * 7 + i) % 30}`), content: "same" })),
      );
      await Promise.all(batches.map((batch) => put(store, batch, "skip")));
      expect(await trueCount(store)).toBe((await idsIn(store)).length);
    });

    test("an id of another store is free, or a conflict whatever the chunks are", async () => {
      const { engine } = under();
      const [store, other] = [await makeStore(), await makeStore()];
      const [a, b] = [id("a"), id("b")];
      await put(other, [chunkOf(1, { id: a }), chunkOf(2, { id: b })]);
      const compared = await engine.compare(store, [chunkOf(1, { id: a }), chunkOf(3, { id: b })]);
      if (!engine.ids.perStore) {
        expect(compared).toEqual(
          new Map([
            [a, "elsewhere"],
            [b, "elsewhere"],
          ]),
        );
        for (const rule of ["error", "skip", "replace"] as const)
          await expect(put(store, [chunkOf(1, { id: a })], rule)).rejects.toMatchObject({ ids: [a] });
        expect(await trueCount(store)).toBe(0);
        return;
      }
      expect(compared).toEqual(new Map());
      await put(store, [chunkOf(1, { id: a }), chunkOf(3, { id: b })]);
      expect((await put(store, [chunkOf(4, { id: a })], "replace")).added).toEqual(new Set([a]));
      const amended = { content: "amended", metadata: { m: 1 }, embedding: vectorOf(5) };
      await change(store, [{ do: "amend", id: b, ...amended }]);
      const read = async (from: typeof store) =>
        (await engine.read(await current(from), [a, b], { embeddings: true })).toSorted((x, y) =>
          x.id < y.id ? -1 : 1,
        );
      expect(await read(store)).toMatchObject([{ content: "content 4", embedding: vectorOf(4) }, amended]);
      expect(await read(other)).toMatchObject([1, 2].map((n) => ({ content: `content ${n}`, embedding: vectorOf(n) })));
      expect(await nearestIds(store, 5, 1)).toEqual([b]);
      expect(await nearestIds(other, 1, 1)).toEqual([a]);
      await change(store, [{ do: "remove", which: { filter: null }, most: 1 }]);
      await change(store, [{ do: "remove", which: { ids: [a, b] } }]);
      expect([await trueCount(store), await trueCount(other)]).toEqual([0, 2]);
      expect(await idsIn(other)).toEqual([a, b]);
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
