import type { Db } from "../../../src/db/database.js";
import { deleteStore, insertStore, lockStore } from "../../../src/db/tables/stores.js";
import type { Bounds, Engine, Records, Words } from "../../../src/engines/engine.js";
import { toNetworkOrder } from "../../../src/numbers/float32.js";
import type { StoredChunk } from "../../../src/words/rows.js";
import type { VectorStore } from "../../../src/words/store.js";
import { ofSettings } from "../../support/stores.js";
import { type Suite, chunkOf, vectorOf } from "./support.js";
import { noOwner } from "../../../src/words/caller.js";

export type Call = (bounds?: Bounds) => Promise<unknown>;

/** The methods of T that return a promise. A new one without a call in the tables below does not compile. */
type Asked<T> = {
  [Name in keyof T as NonNullable<T[Name]> extends (...args: never[]) => Promise<unknown> ? Name : never]-?: Call;
};

/** Every call of the contract on a store, by name. Each can be repeated. */
export function callsOn({ under, id }: Suite, store: VectorStore): Map<string, Call> {
  const { engine } = under();
  const all: Record<string, Call> = {
    ...aboutChunks(engine, store, id("a")),
    ...named("words", engine.words === null ? {} : aboutWords(engine.words, store)),
    ...named("records", aboutRecords(engine.records, store, under().now())),
    ...aboutStores(under(), store),
    ...ofUpkeep(engine, store),
  } satisfies Asked<Engine>;
  // Optional in the contract.
  if (engine.probe === undefined) delete all.probe;
  return new Map(Object.entries(all));
}

const all = { kind: "all" } as const;
const query = { filter: null, limit: 1 };
const page = { limit: 1, order: "asc", after: null, before: null, embeddings: false } as const;

const named = (room: string, calls: Record<string, Call>) =>
  Object.fromEntries(Object.entries(calls).map(([name, call]) => [`${room}.${name}`, call]));

const aboutChunks = (engine: Engine, store: VectorStore, known: string) => ({
  nearest: (bounds?: Bounds) => engine.nearest(store, { ...query, embedding: vectorOf(1), recall: "high" }, bounds),
  read: (bounds?: Bounds) => engine.read(store, [known], { embeddings: false }, bounds),
  page: (bounds?: Bounds) => engine.page(store, {}, page, bounds),
  places: (bounds?: Bounds) => engine.places(store, [{ key: "file_id", document: "x", index: 0 }], bounds),
  count: (bounds?: Bounds) => engine.count(store, null, bounds),
  compare: (bounds?: Bounds) => engine.compare(store, [chunkOf(1, { id: known })], bounds),
});

const aboutWords = (words: Words, store: VectorStore): Asked<Words> => ({
  problemWith: (bounds) => words.problemWith(words.usualLanguage, bounds),
  matching: (bounds) => words.matching(store, { ...query, text: "content", language: words.usualLanguage }, bounds),
});

function aboutRecords(records: Records, store: VectorStore, now: number): Asked<Records> {
  let added = 0;
  const record = (n: number): StoredChunk => ({
    id: `${store.id}-call-${n}`,
    storeId: store.id,
    content: "content",
    metadata: "{}",
    vector: toNetworkOrder(vectorOf(1)),
    createdAt: now * 1000,
  });
  return {
    canonicalJson: (bounds) => records.canonicalJson(["{}"], bounds),
    marks: (bounds) => records.marks([record(0)], bounds),
    vectors: (bounds) => records.vectors([record(0)], bounds),
    add: (bounds) => records.add([record((added += 1))], { readBack: null, now }, bounds),
    page: (bounds) =>
      records.page(store, { after: null, limit: 1, filter: null, vectors: true, without: new Set() }, bounds),
  };
}

/** Changes of a store, and of stores that are made for it. */
const aboutStores = ({ engine, db, now }: ReturnType<Suite["under"]>, store: VectorStore) => {
  const made = () =>
    insertStore(
      db,
      { name: "call", description: null, metadata: null, expiresAfter: null, ...ofSettings },
      noOwner,
      now(),
    );
  return {
    prepare: async (bounds?: Bounds) => engine.prepare(await made(), engine.words?.usualLanguage ?? null, bounds),
    drop: async (bounds?: Bounds) => {
      const { id } = await made();
      const hold = async (tx: Db) => (await lockStore(tx, all, id)) ?? store;
      return engine.drop({ hold, book: (tx) => deleteStore(tx, all, id) }, bounds);
    },
    write: (bounds?: Bounds) =>
      engine.write(
        {
          now: now(),
          as: "correction",
          hold: async (tx) => ({ store: (await lockStore(tx, all, store.id)) ?? store }),
          steps: () => [{ do: "put", chunks: [chunkOf(1)], onConflict: "skip" }],
          book: () => Promise.resolve(),
        },
        bounds,
      ),
  };
};

const ofUpkeep = (engine: Engine, store: VectorStore) => ({
  indexed: (bounds?: Bounds) => engine.indexed(store, bounds),
  versions: (bounds?: Bounds) => engine.versions(bounds),
  summary: (bounds?: Bounds) => engine.summary(bounds),
  reindex: (bounds?: Bounds) => engine.reindex(store, bounds),
  check: (bounds?: Bounds) => engine.check(bounds),
  upkeep: (bounds?: Bounds) => engine.upkeep(() => Promise.resolve(true), bounds),
  probe: (bounds?: Bounds) => engine.probe?.(bounds) ?? Promise.resolve(),
});
