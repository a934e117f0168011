import { sql } from "kysely";
import type { AuditEntry } from "../../words/accessKey.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant, jsonb } from "../expressions.js";

const table = "vector_store_audit";

/** Adds an act to the log, in the transaction that does it. */
export async function insertAudit(tx: Db, entry: AuditEntry): Promise<void> {
  const { id, at, actor, action, target, details, address, requestId } = entry;
  await ours(tx, table)
    .insertInto(table)
    .values({
      id,
      at: instant(at, true),
      actor,
      action,
      target,
      details: jsonb(details),
      address,
      request_id: requestId,
    })
    .execute();
}

/** Acts, newest first, before that with the id `before`. Reads `limit + 1` rows to know whether there are more. */
export async function listAudit(
  db: Db,
  { limit, before }: { limit: number; before: string | null },
): Promise<{ entries: AuditEntry[]; hasMore: boolean }> {
  let query = ours(db, table)
    .selectFrom(table)
    .select(["id", "actor", "action", "target", "details", "address", "request_id as requestId"])
    .select((eb) => epochMillis(eb.ref("at")).as("at"));
  // Ids are in the order of time.
  if (before !== null) query = query.where("id", "<", sql<string>`${before}`);
  const rows = await query
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  return { entries: rows.slice(0, limit), hasMore: rows.length > limit };
}
