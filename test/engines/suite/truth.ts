import { describe, expect, test } from "@jest/globals";
import { findStore } from "../../../src/db/tables/stores.js";
import { EngineError, type Step } from "../../../src/engines/engine.js";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import type { ChunkSelection } from "../../../src/words/chunk.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

const day = 86_400_000;

/** Chunks, counters and what a change records with them. */
export function truthSuite(name: string, suite: Suite): void {
  const { under, current, change, id, makeStore, dropStore, put, idsIn, trueCount } = suite;
  const pace = () => Promise.resolve(true);

  describe(`${name}: one truth`, () => {
    test("what `hold` throws calls the change off", async () => {
      const store = await makeStore();
      const off = new Error("called off");
      const written = under().engine.write({
        now: under().now(),
        as: "use",
        hold: () => Promise.reject(off),
        steps: () => [{ do: "put", chunks: [chunkOf(1)], onConflict: "error" }],
        book: () => Promise.resolve(),
      });
      await expect(written).rejects.toBe(off);
      expect(await idsIn(store)).toEqual([]);
    });

    test("a change that fails before `book` can be repeated, and the counters are corrected", async () => {
      const store = await makeStore();
      const crash = new Error("the process died");
      const chunks = [chunkOf(1, { id: id("a") }), chunkOf(2, { id: id("b") })];
      const steps: Step[] = [{ do: "put", chunks, onConflict: "error" }];
      await expect(change(store, steps, { book: () => Promise.reject(crash) })).rejects.toBe(crash);
      expect((await current(store)).chunkCount).toBe(0);
      // After a rolled-back transaction nothing is left. Otherwise the chunks are, and upkeep counts them.
      const left = under().engine.can.shareTransaction ? 0 : 2;
      expect(await under().engine.count(store, null)).toMatchObject({ chunks: left });
      await under().engine.upkeep(pace);
      expect(await trueCount(store)).toBe(left);
      await change(store, steps);
      expect(await trueCount(store)).toBe(2);
      expect(await under().engine.upkeep(pace)).toBe(0);
    });

    test("upkeep during changes leaves the counters true", async () => {
      const store = await makeStore();
      const { engine, now } = under();
      const record = (n: number) => ({
        id: id(`record${n}`),
        storeId: store.id,
        content: "as it is",
        metadata: "{}",
        vector: toNetworkOrder(vectorOf(1)),
        createdAt: now() * 1000,
      });
      const works = Array.from({ length: 8 }, (_, n) => [
        put(store, [chunkOf(n + 1, { id: id(`put${n}`) })]),
        engine.upkeep(pace),
        engine.records.add([record(n)], { readBack: null, now: now() }),
        engine.upkeep(pace),
      ]);
      await Promise.all(works.flat());
      expect(await trueCount(store)).toBe(16);
      expect(await engine.upkeep(pace)).toBe(0);
    });

    test("an expired store takes no chunks from its users; ingestion continues in it and does not revive it", async () => {
      const store = await makeStore(1);
      under().advance(2 * day);
      const refused = put(store, [chunkOf(1, { id: id("a") })]);
      await expect(refused).rejects.toBeInstanceOf(EngineError);
      await expect(refused).rejects.toMatchObject({ kind: "gone" });
      const { expiresAt } = await current(store);
      const steps: Step[] = [{ do: "put", chunks: [chunkOf(2, { id: id("b") })], onConflict: "skip" }];
      await change(store, steps, { as: "ingestion" });
      expect((await current(store)).expiresAt).toBe(expiresAt);
      await under().engine.upkeep(pace);
      await trueCount(store);
    });

    test("chunks are removed by ids, by filter and by file, and the counters follow", async () => {
      const store = await makeStore();
      const file = { fileId: id("file"), chunkBase: "0123456789abcdef01230002" };
      const ofFile = [0, 1, 2].map((n) => {
        const metadata = { file_id: file.fileId, n };
        return chunkOf(n + 10, { id: under().engine.ids.ofFile(file.chunkBase, n), metadata });
      });
      await put(store, [...ofFile, ...[1, 2, 3, 4].map((n) => chunkOf(n, { id: id(`c${n}`), metadata: { n } }))]);
      const remove = async (which: ChunkSelection) => {
        const { removed } = await change(store, [{ do: "remove", which }]);
        await trueCount(store);
        return removed.chunks;
      };
      expect(await remove({ ids: [id("c1"), id("absent")] })).toBe(1);
      expect(await remove({ filter: { type: "gte", key: "n", value: 3 } })).toBe(2);
      expect(await idsIn(store, { file })).toHaveLength(3);
      expect(await remove({ file, filter: { type: "eq", key: "n", value: 2 } })).toBe(1);
      expect(await remove({ file })).toBe(2);
      expect(await idsIn(store)).toEqual([id("c2")]);
      expect(await remove({ filter: null })).toBe(1);
    });

    test("dropping a store removes all of its data, and nothing of other stores", async () => {
      const [store, other] = [await makeStore(), await makeStore()];
      await put(store, [chunkOf(1, { id: id("dropped") })]);
      await put(other, [chunkOf(2, { id: id("stays") })]);
      const off = new Error("called off");
      const called = under().engine.drop({ hold: () => Promise.reject(off), book: () => Promise.resolve() });
      await expect(called).rejects.toBe(off);
      expect(await idsIn(store)).toEqual([id("dropped")]);
      expect(await dropStore(store)).toBe(true);
      expect(await findStore(under().db, { kind: "all" }, store.id)).toBeUndefined();
      expect(await under().engine.count(store, null)).toEqual({ chunks: 0, bytes: 0 });
      expect(await idsIn(other)).toEqual([id("stays")]);
    });
  });
}
