import type { Db } from "../db/database.js";
import type { Chunk, ChunkPlace, ChunkSelection, FileChunks, FoundChunk, NewChunk } from "../words/chunk.js";
import { ApiError } from "../words/errors.js";
import type { Filter } from "../words/filter.js";
import type { ChunkMark, StoredChunk } from "../words/rows.js";
import type { Recall, VectorStore } from "../words/store.js";

/**
 * The contract between the use cases and the place where a store's chunks live and are searched. `core` imports this file and nothing
 * else of engines/; a new engine is a sibling folder that passes test/engines/engineSuite.ts.
 *
 * - Every call is safe to repeat. It rejects when its signal aborts or its deadline passes; what it began may still happen.
 * - Every failure of the engine itself is an `EngineError` of one of four kinds.
 * - An acknowledged chunk is found by the next search. The chunks of a hidden file are found by no search until it is shown.
 * - A store's counters say what its chunks are. An engine that shares the database's transaction (`can.shareTransaction`) changes both
 *   in one. Any other makes puts idempotent by chunk id, moves the counters after the acknowledged put, and repairs in `upkeep` what a
 *   crash between the two left, by comparing `count` with the counters (docs/decisions/0022-engine-contract.md).
 */
export interface Engine {
  /** For messages, logs and settings. */
  readonly name: string;
  readonly can: Capabilities;
  readonly ids: ChunkIds;
  /** Keyword search; null where the engine has none. */
  readonly words: Words | null;
  /** Chunks as import and export move them. */
  readonly records: Records;

  /** Makes a new or imported store ready for its first chunk. @param language of keyword search; null: none yet */
  prepare(store: VectorStore, language: string | null, bounds?: Bounds): Promise<VectorStore>;
  /** Removes everything of a store together with its row, which `book` deletes. */
  drop<T>(change: Drop<T>, bounds?: Bounds): Promise<T>;
  /** Changes chunks of one store, its counters, and what the change books, as one. @throws IdConflict, Overtaken */
  write<Held extends { store: VectorStore }, T>(change: Change<Held, T>, bounds?: Bounds): Promise<T>;

  /** Of the ids that exist, in whatever store: whether what is stored is the same as what is given. */
  compare(store: VectorStore, chunks: readonly NewChunk[], bounds?: Bounds): Promise<Map<string, boolean>>;

  /** The nearest chunks, best first, ties in the order of ids: `limit` of them, or all that pass the filter if they are fewer. */
  nearest(store: VectorStore, query: VectorQuery, bounds?: Bounds): Promise<FoundChunk[]>;
  /** Chunks by their ids, in no order; absent ones are left out. */
  read(store: VectorStore, ids: readonly string[], wanted: Wanted, bounds?: Bounds): Promise<Chunk[]>;
  /** One page of the selected chunks in the order of ids. */
  page(store: VectorStore, selection: ChunkSelection, page: Page & Wanted, bounds?: Bounds): Promise<ChunkPage>;
  /** The contents of the chunks at these places of documents, where they exist. */
  places(
    store: VectorStore,
    places: readonly ChunkPlace[],
    bounds?: Bounds,
  ): Promise<(ChunkPlace & { content: string })[]>;
  /** Chunks of a store that pass the filter, counted one by one, hidden ones too. */
  count(store: VectorStore, filter: Filter | null, bounds?: Bounds): Promise<{ chunks: number; bytes: number }>;

  /** What the store's index is doing, from what the store remembers. Asks nobody. */
  state(store: VectorStore): IndexState;
  /** How many rows are in the index and how many are compared one by one beside it; null where there is no such difference. */
  indexed(store: VectorStore, bounds?: Bounds): Promise<{ indexed: number; fresh: number } | null>;
  /** The indexes of all stores, for health and metrics. */
  summary(bounds?: Bounds): Promise<IndexSummary>;
  /** Has a store's derived data checked and its index rebuilt by the next `upkeep`. Searches continue meanwhile. */
  reindex(store: VectorStore, bounds?: Bounds): Promise<VectorStore>;
  /** At start, before the first `upkeep`: makes what stores remember agree with what is there. */
  check(): Promise<void>;
  /** One round of maintenance: indexes, repairs, sweeps. @returns how many things it worked on; 0 means it can rest */
  upkeep(pace: Pace): Promise<number>;
  /** Measures the recall of indexes and publishes it as metrics. */
  probe?(): Promise<void>;
}

/** Limits of one call. */
export interface Bounds {
  signal?: AbortSignal | undefined;
  /** On the clock of performance.now(), in milliseconds. */
  deadline?: number | undefined;
}

/** What an engine can do by itself. A request for anything else is refused with a 400 that names the engine. */
interface Capabilities {
  /** Chunks, counters and books change in one transaction of the database. */
  readonly shareTransaction: boolean;
  readonly operators: ReadonlySet<Filter["type"]>;
  /** Every vector must have this many dimensions; null: each store has its own. */
  readonly fixedDimensions: number | null;
}

/** The ids that chunks can have. */
export interface ChunkIds {
  /** What ids are, for messages: `text`, `uuid` or `bigint`. */
  readonly type: string;
  /** The id as the engine writes it (a uuid in capitals is the same uuid); null when it can hold no such id. */
  read(id: string): string | null;
  /** The id of a file's chunk, the same in every run; null: the engine hands out ids itself. @param number from 0 */
  ofFile(chunkBase: string, number: number): string | null;
  /** The same id for the same parts, always. */
  derived(parts: readonly string[]): string;
}

export interface Words {
  /** Languages that a store's metadata may name. Other values there belong to somebody else and mean nothing here. */
  readonly languages: readonly string[];
  /** Why a language cannot be used, for its sender; null: it can. */
  problemWith(language: string): Promise<string | null>;
  /**
   * The chunks that have words of the query, best first, ties in the order of ids.
   * @throws EngineError `away` while the words of a large store are still being made
   */
  matching(store: VectorStore, query: WordQuery, bounds?: Bounds): Promise<FoundChunk[]>;
}

export interface VectorQuery {
  embedding: Float32Array;
  filter: Filter | null;
  limit: number;
  recall: Recall;
}

export interface WordQuery {
  text: string;
  language: string;
  filter: Filter | null;
  limit: number;
}

export interface Wanted {
  embeddings: boolean;
}

/** `after` and `before` are ids, of chunks that exist or not. */
export interface Page {
  limit: number;
  order: "asc" | "desc";
  after: string | null;
  before: string | null;
}

export interface ChunkPage {
  chunks: Chunk[];
  hasMore: boolean;
}

/**
 * A change of one store. `hold` runs first; then `steps` says what the engine shall do; `book` runs last. An engine that shares the
 * database's transaction runs all of it in one. Any other runs `hold` and `steps` in a transaction, takes the steps without one, and runs
 * `hold` again with `book` in another: neither may do anything but read, lock and write the database.
 */
export interface Change<Held extends { store: VectorStore }, T> {
  /** Unix milliseconds: when chunks of this change were created, and the store was used. */
  now: number;
  /** How the change counts for the store's expiry; see `addToCounts` of db/tables/stores.ts. */
  as: "use" | "ingestion" | "correction";
  /** Locks and reads what the change depends on. Throws to call it off. */
  hold: (tx: Db) => Promise<Held>;
  steps: (tx: Db, held: Held) => Promise<readonly Step[]> | readonly Step[];
  book: (tx: Db, done: Done, held: Held) => Promise<T>;
}

export type Step =
  | {
      /**
       * `error`: a chunk whose id exists with the same content is counted as a duplicate; with other content the change is refused
       * (IdConflict). `skip`: existing chunks stay as they are. `replace`: existing chunks of this store give way.
       */
      do: "put";
      chunks: readonly NewChunk[];
      onConflict: "error" | "skip" | "replace";
    }
  | { do: "remove"; which: ChunkSelection }
  /** Takes keys out of the metadata of a file's chunks, then sets others. */
  | { do: "relabel"; file: FileChunks; remove: readonly string[]; set: Readonly<Record<string, unknown>> }
  /** Hides the chunks of a file from every search, or shows them. */
  | { do: "hide" | "show"; fileId: string };

/** What the steps did, in sum. */
export interface Done {
  /** The store as it is now, with its counters moved. */
  store: VectorStore;
  /** The ids of the chunks that were put, in their order. */
  ids: readonly string[];
  /** Of these, the ids that were not there before. */
  added: ReadonlySet<string>;
  addedBytes: number;
  removed: { chunks: number; bytes: number };
}

export interface Drop<T> {
  /** Locks the store's row. Throws to call the change off. */
  hold: (tx: Db) => Promise<VectorStore>;
  /** Deletes the row. */
  book: (tx: Db, store: VectorStore) => Promise<T>;
}

/** `none`: so few rows that they are compared one by one, which is as quick. `waiting`: an index will be built. */
export type IndexingState = "none" | "waiting" | "building" | "ready";

export interface IndexState {
  index: IndexingState;
  keywords: "off" | "building" | "ready";
}

export interface IndexSummary {
  /** How many stores have an index in each state. */
  stores: Record<IndexingState, number>;
  /** How many stores have their keywords being made. */
  keywordsBuilding: number;
  /** Builds under way, by any process: `done` of `total` rows or blocks; a total of 0 is not known yet. */
  builds: { phase: string; done: number; total: number }[];
}

/** Called between portions of maintenance with the time that the last one took. False: stop here; the next start continues. */
export type Pace = (workedMs: number) => Promise<boolean>;

export interface Records {
  /** JSON texts as the engine writes them back. @throws EngineError `refused` for what it cannot store */
  canonicalJson(texts: readonly string[]): Promise<string[]>;
  /** What is stored under these ids, in whatever store. */
  marks(chunks: readonly { id: string; storeId: string }[]): Promise<Map<string, ChunkMark>>;
  /** The vectors stored under these ids; null for one with other content or metadata, or in another store. */
  vectors(chunks: readonly Omit<StoredChunk, "vector">[]): Promise<Map<string, Buffer | null>>;
  /**
   * Adds chunks that are not there yet, of any stores, and moves the counters.
   * @throws Overtaken when one of the ids exists by now; EngineError `gone` naming the store
   */
  add(chunks: readonly StoredChunk[], options: AddOptions): Promise<void>;
  /** A page of a store's chunks in the order of ids, without those of hidden files. */
  page(store: VectorStore, page: RecordPageRequest): Promise<RecordPage>;
}

export interface AddOptions {
  /** Called with what is stored, before it is final. What it throws undoes the addition. */
  readBack: ((marks: ReadonlyMap<string, ChunkMark>) => void) | null;
  /** Unix milliseconds. */
  now: number;
}

export interface RecordPageRequest {
  /** The last id of the page before; null for the first. */
  after: string | null;
  limit: number;
  filter: Filter | null;
  vectors: boolean;
  /** Files whose chunks are left out as if they were hidden. */
  without: ReadonlySet<string>;
}

export interface RecordPage {
  chunks: (Omit<StoredChunk, "metadata" | "vector"> & { metadata: string | null; vector: Buffer | null })[];
  hasMore: boolean;
  /** Files that were hidden at this moment. */
  hidden: readonly string[];
}

/**
 * `away`: it does not answer, or is too busy; the same call may succeed later. `full`: it has no room left. `refused`: it does not take
 * what the caller gave. `gone`: what the caller knew of the store no longer holds; read the store again.
 */
export type FailureKind = "away" | "full" | "refused" | "gone";

/** A failure of an engine. It is an ApiError, so a caller that can do nothing about it lets it pass. */
export class EngineError extends ApiError {
  constructor(
    readonly kind: FailureKind,
    status: number,
    message: string,
    details: ApiError["details"] = {},
  ) {
    super(status, message, details);
  }
}

/** The ids exist with other content, metadata or embedding. Nothing was stored. */
export class IdConflict extends Error {
  constructor(readonly ids: readonly string[]) {
    super("ids exist with other content");
  }
}

/** Others changed the same chunks between a look at them and the change. Nothing was stored; look again. */
export class Overtaken extends Error {}
