import { afterAll, beforeAll, expect } from "@jest/globals";
import type { Database, Db } from "../../../src/db/database.js";
import { deleteStore, findStore, insertStore, lockStore } from "../../../src/db/tables/stores.js";
import type { Done, Engine, FailureKind, Step } from "../../../src/engines/engine.js";
import type { ChunkSelection, NewChunk } from "../../../src/words/chunk.js";
import type { Filter } from "../../../src/words/filter.js";
import type { VectorStore } from "../../../src/words/store.js";
import { ofSettings } from "../../support/stores.js";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { noOwner } from "../../../src/words/caller.js";

/** What an engine brings to the suite: a way to open it, on a database for stores and counters. */
export interface EngineUnderTest {
  engine: Engine;
  db: Database;
  /** Unix milliseconds. */
  now: () => number;
  advance: (millis: number) => void;
  /** From now on whatever the engine asks fails like this; null: it works again. */
  fail: (kind: FailureKind | null) => void;
  /** Runs of property tests. */
  runs: number;
  close: () => Promise<void>;
}

const all = { kind: "all" } as const;

/** A chunk whose vector has a different direction for each seed. */
export const chunkOf = (seed: number, overrides: Partial<NewChunk> = {}): NewChunk => ({
  id: null,
  content: `content ${seed}`,
  metadata: null,
  embedding: Float32Array.from(testVector(seed, testDimensions)),
  ...overrides,
});

export const vectorOf = (seed: number): Float32Array => Float32Array.from(testVector(seed, testDimensions));

export type Suite = ReturnType<typeof openSuite>;

/** The engine under test, and how its suites use it. */
export function openSuite(open: () => Promise<EngineUnderTest>) {
  let opened: EngineUnderTest | undefined;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());
  const under = () => {
    if (opened === undefined) throw new Error("the engine is not open yet");
    return opened;
  };
  const current = async ({ id }: Pick<VectorStore, "id">): Promise<VectorStore> => {
    const found = await findStore(under().db, all, id);
    if (found === undefined) throw new Error("the store is gone");
    return found;
  };
  const change = (
    store: VectorStore,
    steps: readonly Step[],
    more: { as?: "use" | "ingestion" | "correction"; book?: (tx: Db) => Promise<void> } = {},
  ): Promise<Done> =>
    under().engine.write({
      now: under().now(),
      as: more.as ?? "use",
      hold: async (tx) => ({ store: (await lockStore(tx, all, store.id)) ?? store }),
      steps: () => steps,
      book: async (tx, done) => {
        await more.book?.(tx);
        return done;
      },
    });
  let stores = 0;
  return {
    under,
    current,
    change,
    /** An id that no other test uses: an engine's ids may be unique over all stores. */
    id: (name: string) => `s${stores}-${name}`,
    makeStore: async (expiresInDays: number | null = null): Promise<VectorStore> => {
      stores += 1;
      const { engine, db, now } = under();
      const expiresAfter = expiresInDays === null ? null : { anchor: "last_active_at" as const, days: expiresInDays };
      const about = { name: "suite", description: null, metadata: null, expiresAfter, ...ofSettings };
      return engine.prepare(await insertStore(db, about, noOwner, now()), null);
    },
    dropStore: ({ id }: VectorStore): Promise<boolean> =>
      under().engine.drop({
        hold: async (tx) => (await lockStore(tx, all, id)) ?? Promise.reject(new Error("the store is gone")),
        book: (tx) => deleteStore(tx, all, id),
      }),
    put: (store: VectorStore, chunks: readonly NewChunk[], onConflict: "error" | "skip" | "replace" = "error") =>
      change(store, [{ do: "put", chunks, onConflict }]),
    idsIn: async (store: VectorStore, selection: ChunkSelection = {}): Promise<string[]> => {
      const page = { limit: 1000, order: "asc", after: null, before: null, embeddings: false } as const;
      return (await under().engine.page(await current(store), selection, page)).chunks.map((chunk) => chunk.id);
    },
    nearestIds: async (store: VectorStore, seed: number, limit: number, filter: Filter | null = null) => {
      const query = { embedding: vectorOf(seed), filter, limit, recall: "high" as const };
      return (await under().engine.nearest(await current(store), query)).map((chunk) => chunk.id);
    },
    /** What the store's row says must be what counting says. @returns the number of chunks */
    trueCount: async (store: VectorStore): Promise<number> => {
      const { chunkCount: chunks, contentBytes: bytes } = await current(store);
      expect(await under().engine.count(store, null)).toEqual({ chunks, bytes });
      return chunks;
    },
  };
}
