import { addChecksums, noChecksum } from "../../words/rows.js";
import type { Deps } from "../deps.js";

/** What moving rows needs. */
export type TransferDeps = Pick<Deps, "config" | "db" | "engine" | "litellm" | "now">;

/** What an import shall do. */
export interface ImportRequest {
  /** All rows go to this store; null: to a new one, or to the source's own. */
  store: string | null;
  /** They go to a new store of this name. */
  storeName: string | null;
  /** The model that made the vectors, for new stores; null: the source or the settings say. */
  embeddingModel: string | null;
  /** Rows without a vector are embedded, which may cost money. */
  embed: boolean;
  idPrefix: string;
  onConflict: "error" | "skip";
  /** Each row is read back and compared before it is committed. */
  verify: boolean;
  /** Pages that are written at the same time. */
  writers: number;
  dryRun: boolean;
  /** Starts from the beginning, whatever an earlier run did. */
  restart: boolean;
  /** Ends the import early: pages under way are finished, and the same import continues after them. */
  signal: AbortSignal;
}

/** Rows of this run and of the runs it continues. */
export interface ImportCounts {
  read: number;
  added: number;
  /** Stored before, in the same store with the same content, metadata and vector. */
  duplicates: number;
  /** Stored before with something else, and left as they were because of `--on-conflict skip`. */
  skipped: number;
  embedded: number;
  /** Vectors of zeros, which are similar to nothing. */
  withoutDirection: number;
  /** Sums of row digests modulo 2^64, in hexadecimal: of the rows read, without skipped ones, and of the rows as stored. */
  readChecksum: string;
  storedChecksum: string;
}

/** A store that rows went to. */
export interface ImportedInto {
  id: string;
  name: string;
  made: boolean;
  dimensions: number;
  model: string;
}

export interface ImportResult {
  /** False: it ended early, and the same command continues it. */
  finished: boolean;
  dryRun: boolean;
  counts: ImportCounts;
  /** Rows of an earlier run that this one continued. */
  resumedAfter: number;
  /** The same import had finished before; this run looked for what was added since. */
  repeated: boolean;
  verified: boolean;
  /** The first ten rows that were skipped. */
  skippedRows: string[];
  stores: ImportedInto[];
}

export interface ImportProgress {
  /** Of the source's total. */
  done: number;
  /** Rows of an earlier run. */
  before: number;
  counts: ImportCounts;
}

export const noCounts: ImportCounts = {
  read: 0,
  added: 0,
  duplicates: 0,
  skipped: 0,
  embedded: 0,
  withoutDirection: 0,
  readChecksum: noChecksum,
  storedChecksum: noChecksum,
};

/** The counts of two parts of an import together. */
export function addCounts(a: ImportCounts, b: ImportCounts): ImportCounts {
  return {
    read: a.read + b.read,
    added: a.added + b.added,
    duplicates: a.duplicates + b.duplicates,
    skipped: a.skipped + b.skipped,
    embedded: a.embedded + b.embedded,
    withoutDirection: a.withoutDirection + b.withoutDirection,
    readChecksum: addChecksums(a.readChecksum, b.readChecksum),
    storedChecksum: addChecksums(a.storedChecksum, b.storedChecksum),
  };
}
