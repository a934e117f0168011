import { describe, expect, test } from "@jest/globals";
import type { Bounds } from "../../../src/engines/engine.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";

export function limitsSuite(name: string, suite: Suite): void {
  const { under, current, change, id, makeStore, put, idsIn } = suite;

  describe(`${name}: limits and upkeep`, () => {
    test("an aborted signal rejects a call with its reason, a passed deadline as away", async () => {
      const store = await makeStore();
      await put(store, [chunkOf(1, { id: id("a") })]);
      const { engine, now } = under();
      const query = { embedding: vectorOf(1), filter: null, limit: 1, recall: "high" as const };
      const page = { limit: 1, order: "asc", after: null, before: null, embeddings: false } as const;
      const write = {
        now: now(),
        as: "use" as const,
        hold: () => Promise.resolve({ store }),
        steps: () => [],
        book: () => Promise.resolve(),
      };
      const calls: ((bounds: Bounds) => Promise<unknown>)[] = [
        (bounds) => engine.nearest(store, query, bounds),
        (bounds) => engine.read(store, [id("a")], { embeddings: false }, bounds),
        (bounds) => engine.page(store, {}, page, bounds),
        (bounds) => engine.count(store, null, bounds),
        (bounds) => engine.write(write, bounds),
      ];
      const { words } = engine;
      if (words !== null) {
        const wordQuery = { text: "content", language: "simple", filter: null, limit: 1 };
        calls.push((bounds) => words.matching(store, wordQuery, bounds));
      }
      for (const call of calls) {
        await expect(call({ signal: AbortSignal.abort(new Error("left")) })).rejects.toThrow("left");
        await expect(call({ deadline: performance.now() - 1 })).rejects.toMatchObject({ kind: "away" });
        await call({ signal: new AbortController().signal, deadline: performance.now() + 600_000 });
      }
    });

    test("every operator that it claims selects the right chunks", async () => {
      const store = await makeStore();
      await put(
        store,
        [1, 2, 3].map((n) => chunkOf(n, { id: id(`c${n}`), metadata: { n } })),
      );
      const expected: Record<string, number[]> = {
        eq: [2],
        ne: [1, 3],
        gt: [3],
        gte: [2, 3],
        lt: [1],
        lte: [1, 2],
        in: [2],
        nin: [1, 3],
      };
      for (const type of under().engine.can.operators) {
        if (type === "and" || type === "or") continue;
        const filter = type === "in" || type === "nin" ? { type, key: "n", value: [2] } : { type, key: "n", value: 2 };
        expect(await idsIn(store, { filter })).toEqual(expected[type]?.map((n) => id(`c${n}`)));
      }
    });

    test("it reports what its indexes are doing, and rests when there is nothing to do", async () => {
      const store = await makeStore();
      await put(store, [chunkOf(1)]);
      await under().engine.check();
      await under().engine.reindex(await current(store));
      let rounds = 0;
      while ((await under().engine.upkeep(() => Promise.resolve(true))) > 0) expect((rounds += 1)).toBeLessThan(50);
      expect(["none", "ready"]).toContain(under().engine.state(await current(store)).index);
      const counts = await under().engine.indexed(await current(store));
      if (counts !== null) expect(counts.indexed + counts.fresh).toBe(1);
      const { stores } = await under().engine.summary();
      expect(stores.none + stores.ready).toBeGreaterThan(0);
      await under().engine.probe?.();
      expect(await idsIn(store)).toHaveLength(1);
    });

    test("a prepared store has its words from its first chunk on", async () => {
      const { engine } = under();
      if (engine.words === null) return;
      const store = await engine.prepare(await makeStore(), "simple");
      await change(store, [
        { do: "put", chunks: [chunkOf(1, { id: id("w"), content: "needle" })], onConflict: "error" },
      ]);
      const query = { text: "needle", language: "simple", filter: null, limit: 1 };
      expect(await engine.words.matching(await current(store), query)).toMatchObject([{ id: id("w") }]);
      expect(engine.state(await current(store)).keywords).toBe("ready");
    });
  });
}
