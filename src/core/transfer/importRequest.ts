import { addChecksums, noChecksum } from "../../words/rows.js";
import type { Deps } from "../deps.js";

/** What moving rows needs of a use case's. */
export type TransferDeps = Pick<Deps, "config" | "db" | "litellm" | "now">;

/** What an import is to do, as it was asked for. */
export interface ImportRequest {
  /** All rows go to this store; null: to one that is made, or to the source's own. */
  store: string | null;
  /** They go to a new one of this name. */
  storeName: string | null;
  /** Made the vectors, for stores that are made here; null: as the source or the settings say. */
  embeddingModel: string | null;
  /** Rows without a vector are embedded, which costs money. */
  embed: boolean;
  idPrefix: string;
  onConflict: "error" | "skip";
  /** Each row is read back and compared before it is committed. */
  verify: boolean;
  /** Pages that are written at the same time. */
  writers: number;
  dryRun: boolean;
  /** What an earlier run has kept of how far it came is not used. */
  restart: boolean;
  /** Ends the import early: what is under way is finished, and the same import goes on after it. */
  signal: AbortSignal;
}

/** Rows of this run and those that it goes on after. */
export interface ImportCounts {
  read: number;
  added: number;
  /** They were there before, in the same store with the same content, metadata and vector. */
  duplicates: number;
  /** They were there with another, and were left alone because of `--on-conflict skip`. */
  skipped: number;
  embedded: number;
  /** Vectors of zeros, which are similar to nothing. */
  withoutDirection: number;
  /** Sums of the digests of rows, modulo 2^64, in hexadecimal: of what was read but for what was skipped, and of what the database has. */
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
  /** False: it was ended early, and the same command goes on. */
  finished: boolean;
  dryRun: boolean;
  counts: ImportCounts;
  /** Rows of an earlier run that this one went on after. */
  resumedAfter: number;
  /** The same import was finished before: this run looked for what has been added since. */
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

/** Of two parts of an import. */
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
