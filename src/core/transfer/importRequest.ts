import { addChecksums, noChecksum } from "../../words/rows.js";
import type { Deps } from "../deps.js";

/** What imports and exports need. */
export type TransferDeps = Pick<Deps, "config" | "db" | "engine" | "litellm" | "now" | "recentStores">;

/** What an import should do. */
export interface ImportRequest {
  /** The store for all rows; null: a new one, or the source's own stores. */
  store: string | null;
  /** All rows go to a new store of this name. */
  storeName: string | null;
  /** The model that made the vectors, for new stores; null: the source's, or the settings'. */
  embeddingModel: string | null;
  /** Rows without a vector are embedded, which may cost money. */
  embed: boolean;
  idPrefix: string;
  onConflict: "error" | "skip";
  /** Whether each row is read back and compared before it is committed. */
  verify: boolean;
  /** How many pages are written at the same time. */
  writers: number;
  dryRun: boolean;
  /** Whether to start from the beginning, whatever an earlier run did. */
  restart: boolean;
  /** Ends the import early: pages under way are finished, and the same import continues after them. */
  signal: AbortSignal;
}

/** Counts of rows, including those of the runs that this one continues. */
export interface ImportCounts {
  read: number;
  added: number;
  /** Already in the same store, with the same content, metadata and vector. */
  duplicates: number;
  /** Already stored with other content, and left as they were because of `--on-conflict skip`. */
  skipped: number;
  embedded: number;
  /** Vectors of zeros, which no search can find. */
  withoutDirection: number;
  /** Permissions that were granted, and uses that were counted, as the source had them. */
  granted: number;
  used: number;
  /** Uses that are older than USAGE_RETENTION_DAYS, and so were left out. */
  usedLongAgo: number;
  /** Permissions and uses that mean nothing here. */
  notUnderstood: number;
  /** Sums of row digests modulo 2^64, in hexadecimal: of the rows as read, except skipped ones, and as stored. */
  readChecksum: string;
  storedChecksum: string;
}

/** A store that received rows. */
export interface ImportedInto {
  id: string;
  name: string;
  made: boolean;
  dimensions: number;
  model: string;
}

export interface ImportResult {
  /** False: it was stopped early, and the same command continues it. */
  finished: boolean;
  dryRun: boolean;
  counts: ImportCounts;
  /** Rows of the earlier run that this one continued. */
  resumedAfter: number;
  /** The same import had already finished once; this run only looked for rows added since. */
  repeated: boolean;
  verified: boolean;
  /** The first ten rows that were skipped. */
  skippedRows: string[];
  /** The first ten permissions and uses that mean nothing here. */
  notUnderstood: string[];
  /** Permissions and uses stay behind where all rows go to one store. */
  peopleLeft: boolean;
  stores: ImportedInto[];
}

export interface ImportProgress {
  /** Position within the source's total, in its unit. */
  done: number;
  /** Rows of the earlier run that this one continues. */
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
  granted: 0,
  used: 0,
  usedLongAgo: 0,
  notUnderstood: 0,
  readChecksum: noChecksum,
  storedChecksum: noChecksum,
};

/** Adds the counts of two parts of an import. */
export function addCounts(a: ImportCounts, b: ImportCounts): ImportCounts {
  return {
    read: a.read + b.read,
    added: a.added + b.added,
    duplicates: a.duplicates + b.duplicates,
    skipped: a.skipped + b.skipped,
    embedded: a.embedded + b.embedded,
    withoutDirection: a.withoutDirection + b.withoutDirection,
    granted: a.granted + b.granted,
    used: a.used + b.used,
    usedLongAgo: a.usedLongAgo + b.usedLongAgo,
    notUnderstood: a.notUnderstood + b.notUnderstood,
    readChecksum: addChecksums(a.readChecksum, b.readChecksum),
    storedChecksum: addChecksums(a.storedChecksum, b.storedChecksum),
  };
}
