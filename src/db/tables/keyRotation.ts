import { sql } from "kysely";
import type { Holder } from "../../words/holder.js";
import type { Db } from "../database.js";
import { instant } from "../expressions.js";
import { giveAll } from "./handOver.js";

/* What a LiteLLM key leaves to the key that takes its place. Keys are named by their SHA-256 in hex. */

const keyOf = (hash: string): Holder => ({ kind: "key", id: hash });

/**
 * Gives the new key what the old one owns, its limits, and what is still to be ingested at its cost.
 * @param keepLimits the old key works for a while, within its limits
 * @returns the ids of the stores, and how many files
 */
export async function passKeyOn(
  tx: Db,
  from: string,
  to: string,
  { now, keepLimits }: { now: number; keepLimits: boolean },
): Promise<{ storeIds: string[]; files: number }> {
  const { vector_store_limits: limits } = tx.layout.ours;
  const moved = await passThingsOn(tx, from, to);
  const [oldSubject, newSubject] = [`key:${from}`, `key:${to}`];
  // With a new time: replicas tell by it that limits have changed.
  await sql`
    INSERT INTO ${limits.reference} (subject, limits, set_at, set_by)
    SELECT ${newSubject}, l.limits, ${instant(now, true)}, l.set_by FROM ${limits.reference} AS l
    WHERE l.subject = ${oldSubject}
    ON CONFLICT (subject) DO NOTHING`.execute(tx.run);
  if (!keepLimits) await sql`DELETE FROM ${limits.reference} WHERE subject = ${oldSubject}`.execute(tx.run);
  return moved;
}

/** The same without limits. */
export async function passThingsOn(tx: Db, from: string, to: string): Promise<{ storeIds: string[]; files: number }> {
  const moved = await giveAll(tx, keyOf(from), keyOf(to));
  // Only files that wait: an index has them.
  await sql`
    UPDATE ${tx.layout.ours.vector_store_files.reference} AS t SET payer = jsonb_set(t.payer, '{keyHash}', to_jsonb(${to}::text))
    WHERE t.status = 'in_progress' AND t.payer ->> 'keyHash' = ${from}`.execute(tx.run);
  return moved;
}

/**
 * What a rotated key owns nevertheless: a process that did not know of the rotation yet made it, or a request that was
 * under way then. @returns the keys, each with the one that has its place now
 */
export async function listLeftBehind(db: Db): Promise<{ from: string; to: string }[]> {
  const { vectorStores, ours } = db.layout;
  const owned = [vectorStores.table, ours.vector_store_file_objects.reference, ours.vector_store_uploads.reference].map(
    (table) => sql`EXISTS (SELECT 1 FROM ${table} AS t WHERE t.owner_key_id = a.target)`,
  );
  const { rows } = await sql<{ hash: string }>`
    SELECT DISTINCT a.target AS hash FROM ${ours.vector_store_audit.reference} AS a
    WHERE a.action = 'litellm_key.rotate' AND (${sql.join(owned, sql` OR `)})`.execute(db.run);
  return Promise.all(rows.map(async ({ hash }) => ({ from: hash, to: await findHeirOfKey(db, hash) })));
}

/** The last key of those that took a key's place, by the log of acts; the key itself if none did. */
export async function findHeirOfKey(db: Db, hash: string): Promise<string> {
  const { reference: audit } = db.layout.ours.vector_store_audit;
  const { rows } = await sql<{ hash: string }>`
    WITH RECURSIVE heirs(hash, act, distance) AS (
      SELECT ${hash}::text, ''::text, 0
      UNION ALL
      SELECT a.details ->> 'newKey', a.id, h.distance + 1 FROM heirs AS h
      JOIN ${audit} AS a ON a.action = 'litellm_key.rotate' AND a.target = h.hash WHERE h.distance < 1000
    ) SELECT h.hash FROM heirs AS h ORDER BY h.distance DESC, h.act LIMIT 1`.execute(db.run);
  return rows[0]?.hash ?? hash;
}

/** The keys whose place this one took, directly or through others, by the log of acts. */
export async function listPredecessors(db: Db, hash: string): Promise<string[]> {
  const { reference: audit } = db.layout.ours.vector_store_audit;
  const { rows } = await sql<{ hash: string }>`
    WITH RECURSIVE before(hash) AS (
      SELECT a.target FROM ${audit} AS a WHERE a.action = 'litellm_key.rotate' AND a.details ->> 'newKey' = ${hash}
      UNION
      SELECT a.target FROM before AS b
      JOIN ${audit} AS a ON a.action = 'litellm_key.rotate' AND a.details ->> 'newKey' = b.hash
    ) SELECT b.hash FROM before AS b`.execute(db.run);
  return rows.map((row) => row.hash);
}
