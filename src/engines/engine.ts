import type { Db } from "../db/database.js";
import type {
  Amendment,
  Chunk,
  ChunkPlace,
  ChunkSelection,
  Compared,
  FileChunks,
  FoundChunk,
  NewChunk,
  OnConflict,
  Relabelling,
} from "../words/chunk.js";
import { ApiError } from "../words/errors.js";
import type { Filter } from "../words/filter.js";
import type { IndexState, IndexSummary } from "../words/indexing.js";
import type { ChunkMark, RecordPage, RecordPageRequest, StoredChunk } from "../words/rows.js";
import type { Recall, VectorStore } from "../words/store.js";

/**
 * The contract between the use cases and the engine that stores and searches chunks. `core` imports only this file of
 * engines/; a new engine is a sibling folder that passes test/engines/engineSuite.ts.
 *
 * - Every call is safe to repeat. It rejects when its signal aborts or its deadline passes; its work may continue.
 *   `check`, `upkeep` and `probe` first finish their current step, so that a process that stops can wait for it.
 * - Every failure of the engine itself is an `EngineError` of one of four kinds.
 * - The next search finds an acknowledged chunk. No search finds the chunks of a hidden file until it is shown.
 * - A store's counters match its chunks. An engine that shares the database's transaction (`can.shareTransaction`)
 *   changes both in one. Any other makes puts idempotent by chunk id, moves the counters after the acknowledged put,
 *   and repairs in `upkeep` what a crash in between left, by comparing `count` with the counters. So that `upkeep`
 *   leaves a change under way alone, the change's first transaction records it with a lease, for every process to see,
 *   and its last transaction removes the record (docs/decisions/0027-engine-contract.md).
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
  /** Removes all of a store's data; `book` deletes its row. */
  drop<T>(change: Drop<T>, bounds?: Bounds): Promise<T>;
  /** Changes one store's chunks and counters, and what `book` writes, as one. @throws IdConflict, Overtaken */
  write<Held extends { store: VectorStore }, T>(change: Change<Held, T>, bounds?: Bounds): Promise<T>;

  /** How stored chunks compare with those given, by id: this store's, and another's if it has the id for itself. */
  compare(store: VectorStore, chunks: readonly NewChunk[], bounds?: Bounds): Promise<Map<string, Compared>>;

  /** The `limit` nearest chunks that pass the filter, or all if there are fewer; best first, ties by id. */
  nearest(store: VectorStore, query: VectorQuery, bounds?: Bounds): Promise<FoundChunk[]>;
  /** Chunks by id, in no particular order; absent ones are left out. */
  read(store: VectorStore, ids: readonly string[], wanted: Wanted, bounds?: Bounds): Promise<Chunk[]>;
  /** One page of the selected chunks, ordered by id. */
  page(store: VectorStore, selection: ChunkSelection, page: Page & Wanted, bounds?: Bounds): Promise<ChunkPage>;
  /** The contents of the chunks at these positions in documents, where they exist. */
  places(
    store: VectorStore,
    places: readonly ChunkPlace[],
    bounds?: Bounds,
  ): Promise<(ChunkPlace & { content: string })[]>;
  /** Counts a store's chunks that pass the filter, hidden ones too, one by one. */
  count(store: VectorStore, filter: Filter | null, bounds?: Bounds): Promise<{ chunks: number; bytes: number }>;

  /** The state of the store's index, from `store` alone, without a query. */
  state(store: VectorStore): IndexState;
  /** Rows in the index, and fresh rows that searches compare one by one; null if the engine has no such difference. */
  indexed(store: VectorStore, bounds?: Bounds): Promise<{ indexed: number; fresh: number } | null>;
  /** Versions of what the engine runs on, by name, for health. */
  versions(bounds?: Bounds): Promise<Readonly<Record<string, string>>>;
  /** The indexes of all stores, for health and metrics. */
  summary(bounds?: Bounds): Promise<IndexSummary>;
  /** Asks the next `upkeep` to check a store's derived data and rebuild its index. Searches continue. */
  reindex(store: VectorStore, bounds?: Bounds): Promise<VectorStore>;
  /** At start, before the first `upkeep`: corrects stores whose recorded state does not match the engine's data. */
  check(bounds?: Bounds): Promise<void>;
  /** One round of maintenance: indexes, repairs, sweeps. @returns how many things it worked on; 0 means it can rest */
  upkeep(pace: Pace, bounds?: Bounds): Promise<number>;
  /** Measures the recall of indexes and publishes it as metrics. */
  probe?(bounds?: Bounds): Promise<void>;
}

/** Limits of one call. */
export interface Bounds {
  signal?: AbortSignal | undefined;
  /** On the clock of performance.now(), in milliseconds. */
  deadline?: number | undefined;
}

/** What an engine supports. Any other request gets a 400 that names the engine. */
interface Capabilities {
  /** Chunks, counters and what `book` writes change in one database transaction. */
  readonly shareTransaction: boolean;
  readonly operators: ReadonlySet<Filter["type"]>;
  /** Every vector must have this many dimensions; null: each store has its own. */
  readonly fixedDimensions: number | null;
  /** No vector may have more. */
  readonly maxDimensions: number;
  /** Vectors that are shorter or longer cannot be compared by cosine, because the engine's sums under- or overflow. */
  readonly lengths: { readonly min: number; readonly max: number };
}

/** The ids that chunks can have. */
export interface ChunkIds {
  /** The type of ids, for messages: `text`, `uuid` or `bigint`. */
  readonly type: string;
  /** The id as the engine writes it (uuids in lower case); null if it cannot hold such an id. */
  read(id: string): string | null;
  /** Whether stores may have chunks with the same id. If not, the first store with an id has it for itself. */
  readonly perStore: boolean;
  /** The id of a file's chunk, the same in every run; null if the engine assigns ids itself. @param number from 0 */
  ofFile(chunkBase: string, number: number): string | null;
  /** Always the same id for the same parts. */
  derived(parts: readonly string[]): string;
}

export interface Words {
  /** Languages that a store's metadata may name. Other values, meant for other programs, are ignored. */
  readonly languages: readonly string[];
  /** For stores that name none. */
  readonly usualLanguage: string;
  /** Why a language cannot be used, for the client; null if it can. */
  problemWith(language: string, bounds?: Bounds): Promise<string | null>;
  /** The chunks with words of the query, best first, ties by id. @throws `away` while a large store's are being made */
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

/** `after` and `before` are ids; no chunk needs to have them. */
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
 * A change of one store. `hold` runs first, then `steps` lists the engine's work, then `book` runs. An engine that
 * shares the database's transaction runs all of it in one. Any other runs `hold` and `steps` in a transaction, takes
 * the steps outside it, and runs `hold` again with `book` in another: neither may do anything but read, lock and write
 * the database.
 */
export interface Change<Held extends { store: VectorStore }, T> {
  /** Unix milliseconds: when the change creates chunks and uses the store. */
  now: number;
  /** How the change counts for the store's expiry; see `addToCounts` of db/tables/stores.ts. */
  as: "use" | "ingestion" | "correction";
  /** Locks and reads what the change depends on. Throws to cancel it. */
  hold: (tx: Db) => Promise<Held>;
  steps: (tx: Db, held: Held) => Promise<readonly Step[]> | readonly Step[];
  book: (tx: Db, done: Done, held: Held) => Promise<T>;
}

export type Step =
  | {
      /**
       * What happens to chunks of this store that have the id of a new one. `error`: the same chunk stays; another one
       * refuses the change (IdConflict). `skip`: every one stays. `replace`: the same chunk stays; another one takes
       * the new content, metadata and embedding. An id that another store has for itself is always an IdElsewhere.
       */
      do: "put";
      chunks: readonly NewChunk[];
      onConflict: OnConflict;
      /** If `hold` locks no store: `shared` with others, or `alone` after an Overtaken, once others have finished. */
      turn?: "shared" | "alone";
    }
  /** Changes what is given of one chunk; does nothing if this store does not have it. */
  | ({ do: "amend"; id: string } & Amendment)
  /** `most`: removes no more chunks than this, any of the selected ones; without it, all of them. */
  | { do: "remove"; which: ChunkSelection; most?: number }
  | ({ do: "relabel"; file: FileChunks } & Relabelling)
  /** Hides the chunks of a file from every search, or shows them. */
  | { do: "hide" | "show"; fileId: string };

/** What all steps did together. */
export interface Done {
  /** The store as it is now, with its counters moved. */
  store: VectorStore;
  /** The ids of the chunks that were put, in order. */
  ids: readonly string[];
  /** The ids of chunks that were written: new ones, and those that took an existing chunk's place. */
  added: ReadonlySet<string>;
  addedBytes: number;
  /** Chunks that are gone, by themselves or because another one took their place. */
  removed: { chunks: number; bytes: number };
  /** The creation times of the chunks of `added` that replace or amend an existing one, in Unix milliseconds. */
  replaced: ReadonlyMap<string, number>;
}

export interface Drop<T> {
  /** Locks the store's row. Throws to cancel the change. */
  hold: (tx: Db) => Promise<VectorStore>;
  /** Deletes the row. */
  book: (tx: Db, store: VectorStore) => Promise<T>;
}

/** Called between portions of maintenance with the duration of the last one. False: stop; the next start continues. */
export type Pace = (workedMs: number) => Promise<boolean>;

export interface Records {
  /** What stores the chunks, for messages. */
  readonly keeper: string;
  /** What may have altered a chunk that is read back other than it was added: a sentence for the operator. */
  readonly mayAlter: string;
  /** JSON texts as the engine returns them. @throws EngineError `refused` for what it cannot store */
  canonicalJson(texts: readonly string[], bounds?: Bounds): Promise<string[]>;
  /** The marks of the chunks with these ids, or of another store's with the id, by the `keyOfChunk` of those given. */
  marks(chunks: readonly { id: string; storeId: string }[], bounds?: Bounds): Promise<Map<string, ChunkMark>>;
  /** The vectors stored for them, by the same keys; null for one of other content or metadata, or of another store. */
  vectors(chunks: readonly Omit<StoredChunk, "vector">[], bounds?: Bounds): Promise<Map<string, Buffer | null>>;
  /**
   * Adds new chunks, of any stores, and moves the counters.
   * @throws Overtaken if one of the ids exists by now; EngineError `gone` naming the store
   */
  add(chunks: readonly StoredChunk[], options: AddOptions, bounds?: Bounds): Promise<void>;
  /** A page of a store's chunks, ordered by id, without those of hidden files. */
  page(store: VectorStore, page: RecordPageRequest, bounds?: Bounds): Promise<RecordPage>;
}

export interface AddOptions {
  /** Called with what is stored, as `marks` gives it, before it is final. Throwing undoes the addition. */
  readBack: ((marks: ReadonlyMap<string, ChunkMark>) => void) | null;
  /** Unix milliseconds. */
  now: number;
}

/**
 * `away`: no answer, or too busy; the same call may succeed later. `full`: no space left. `refused`: the engine does
 * not accept what the caller gave. `gone`: the caller's copy of the store is out of date; read the store again.
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

/** The ids exist with other content, metadata or embedding, or in another store (IdElsewhere). Nothing was stored. */
export class IdConflict extends Error {
  constructor(readonly ids: readonly string[]) {
    super("ids are taken");
  }
}
export class IdElsewhere extends IdConflict {}

/** Someone else changed the same chunks after they were read. Nothing was stored; read them again. */
export class Overtaken extends Error {}
