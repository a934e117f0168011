import { describe, expect, test } from "@jest/globals";
import { type Bounds, EngineError } from "../../../src/engines/engine.js";
import type { Filter } from "../../../src/words/filter.js";
import { callsOn } from "./calls.js";
import { type Suite, chunkOf } from "./support.js";

export function limitsSuite(name: string, suite: Suite): void {
  const { under, current, change, id, makeStore, put, idsIn } = suite;

  describe(`${name}: limits and upkeep`, () => {
    test("an aborted signal rejects every call with its reason, a passed deadline as away", async () => {
      const store = await makeStore();
      await put(store, [chunkOf(1, { id: id("a") })]);
      for (const [called, call] of callsOn(suite, store)) {
        const outcome = (bounds: Bounds) =>
          call(bounds).then(
            () => [called, "an answer"],
            (error: unknown) => [called, error instanceof EngineError ? error.kind : (error as Error).message],
          );
        expect(await outcome({ signal: AbortSignal.abort(new Error("left")) })).toEqual([called, "left"]);
        expect(await outcome({ deadline: performance.now() - 1 })).toEqual([called, "away"]);
        const wide = { signal: new AbortController().signal, deadline: performance.now() + 600_000 };
        expect(await outcome(wide)).toEqual([called, "an answer"]);
      }
    });

    test("a call under way rejects when its signal aborts or its deadline passes, whatever becomes of its work", async () => {
      const store = await makeStore();
      const writing = (bounds: Bounds, held: Promise<void>) =>
        under().engine.write(
          {
            now: under().now(),
            as: "use",
            hold: () => held.then(() => ({ store })),
            steps: () => [{ do: "put", chunks: [chunkOf(1, { id: id("late") })], onConflict: "skip" }],
            book: () => Promise.resolve(),
          },
          bounds,
        );
      const left = new AbortController();
      const ways: [Bounds, object][] = [
        [{ signal: left.signal }, { message: "left" }],
        [{ deadline: performance.now() + 50 }, { kind: "away" }],
      ];
      for (const [bounds, error] of ways) {
        let release = (): void => undefined;
        const written = writing(bounds, new Promise((resolve) => (release = resolve)));
        const rejected = expect(written).rejects.toMatchObject(error);
        left.abort(new Error("left"));
        await rejected;
        release();
      }
      // The same call again finds out what became of it.
      await writing({}, Promise.resolve());
      expect(await idsIn(store)).toEqual([id("late")]);
    });

    test.each(["away", "full", "refused", "gone"] as const)(
      "a failure of the kind %s reaches whoever made the call as that kind",
      async (kind) => {
        const store = await makeStore();
        await put(store, [chunkOf(1, { id: id("a") })]);
        const calls = callsOn(suite, store);
        // A store without an index has nothing to ask for.
        calls.delete("indexed");
        for (const [called, call] of calls) {
          under().fail(kind);
          const failure: unknown = await call().catch((error: unknown) => error);
          under().fail(null);
          expect([called, failure]).toEqual([called, expect.any(EngineError)]);
          expect([called, failure]).toMatchObject([called, { kind }]);
        }
        expect(await idsIn(store)).toEqual([id("a")]);
      },
    );

    test("every operator that it claims selects the right chunks", async () => {
      const store = await makeStore();
      await put(
        store,
        [1, 2, 3].map((n) => chunkOf(n, { id: id(`c${n}`), metadata: { n, list: [n, "x"], text: `text ${n}` } })),
      );
      const key = "n";
      const expected: Partial<Record<Filter["type"], [Filter, number[]]>> = {
        eq: [{ type: "eq", key, value: 2 }, [2]],
        ne: [{ type: "ne", key, value: 2 }, [1, 3]],
        gt: [{ type: "gt", key, value: 2 }, [3]],
        gte: [{ type: "gte", key, value: 2 }, [2, 3]],
        lt: [{ type: "lt", key, value: 2 }, [1]],
        lte: [{ type: "lte", key, value: 2 }, [1, 2]],
        in: [{ type: "in", key, value: [2] }, [2]],
        nin: [{ type: "nin", key, value: [2] }, [1, 3]],
        contains: [{ type: "contains", key: "list", value: 3 }, [3]],
        all: [{ type: "all", key: "list", value: ["x", 1] }, [1]],
        exists: [{ type: "exists", key: "absent", value: false }, [1, 2, 3]],
        prefix: [{ type: "prefix", key: "text", value: "text 3" }, [3]],
        substring: [{ type: "substring", key: "text", value: "t 1" }, [1]],
      };
      for (const type of under().engine.can.operators) {
        if (type === "and" || type === "or") continue;
        const [filter, numbers] = expected[type] ?? [null, []];
        expect([type, await idsIn(store, { filter })]).toEqual([type, numbers.map((n) => id(`c${n}`))]);
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
      const { usualLanguage: language } = engine.words;
      const store = await engine.prepare(await makeStore(), language);
      await change(store, [
        { do: "put", chunks: [chunkOf(1, { id: id("w"), content: "needle" })], onConflict: "error" },
      ]);
      const query = { text: "needle", language, filter: null, limit: 1 };
      expect(await engine.words.matching(await current(store), query)).toMatchObject([{ id: id("w") }]);
      expect(engine.state(await current(store)).keywords).toBe("ready");
    });
  });
}
