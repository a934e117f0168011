import { sql } from "kysely";
import type { FileStatus } from "../../words/file.js";
import { type Db, ours } from "../database.js";
import { instant } from "../expressions.js";

/* What the whole database holds, for the administrators' overview. */

export interface AttachedCounts extends Record<FileStatus, number> {
  /** Failed within the last day. */
  failedLately: number;
}

/** Files that are attached to vector stores, by their status. Reads one row of an index or table for each. */
export async function countAttached(db: Db, now: number): Promise<AttachedCounts> {
  const table = "vector_store_files";
  return ours(db, table)
    .selectFrom(table)
    .select((eb) => {
      const of = (status: FileStatus) => eb.fn.countAll<number>().filterWhere("status", "=", status);
      const lately = sql<Date>`${instant(now, true)} - interval '1 day'`;
      return [
        of("in_progress").as("in_progress"),
        of("completed").as("completed"),
        of("failed").as("failed"),
        of("cancelled").as("cancelled"),
        // What nobody took had no file to read.
        of("failed").filterWhere(eb.fn.coalesce("taken_at", "created_at"), ">", lately).as("failedLately"),
      ];
    })
    .executeTakeFirstOrThrow();
}

/** Uploaded files that have not expired. */
export async function countUploaded(db: Db, now: number): Promise<{ files: number; bytes: number }> {
  const table = "vector_store_file_objects";
  return ours(db, table)
    .selectFrom(table)
    .select((eb) => [
      eb.fn.countAll<number>().as("files"),
      sql<number>`COALESCE(sum(${eb.ref("bytes")}), 0)::bigint`.as("bytes"),
    ])
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant(now, true))]))
    .executeTakeFirstOrThrow();
}

/** Sessions of the web page that have not expired. */
export async function countSessions(db: Db, now: number): Promise<number> {
  const table = "vector_store_sessions";
  const { count } = await ours(db, table)
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("expires_at", ">", instant(now, true))
    .executeTakeFirstOrThrow();
  return count;
}
