import { sql } from "kysely";
import type { Session } from "../../words/session.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant } from "../expressions.js";
import type { ColumnsOf } from "../schema/ourTables.js";

const table = "vector_store_sessions";
const sessions = (db: Db) => ours(db, table);

const columns = (eb: ColumnsOf<typeof table>) =>
  [
    "id",
    "name",
    "role",
    epochMillis(eb.ref("created_at")).as("createdAt"),
    epochMillis(eb.ref("last_used_at")).as("lastUsedAt"),
    epochMillis(eb.ref("expires_at")).as("expiresAt"),
    "address",
    "user_agent as userAgent",
  ] as const;

/** What a request with the cookie needs of its session. */
export type FoundSession = Pick<Session, "id" | "name" | "role" | "lastUsedAt" | "expiresAt"> & { sealed: Buffer };

/** A session that has not expired. Every request with a cookie asks this. */
export async function findSession(db: Db, hash: Buffer, now: number): Promise<FoundSession | undefined> {
  return sessions(db)
    .selectFrom(table)
    .select((eb) => [
      "id",
      "name",
      "role",
      "sealed",
      epochMillis(eb.ref("last_used_at")).as("lastUsedAt"),
      epochMillis(eb.ref("expires_at")).as("expiresAt"),
    ])
    .where("hash", "=", hash)
    .where("expires_at", ">", instant(now, true))
    .executeTakeFirst();
}

export async function insertSession(tx: Db, session: Session, hash: Buffer, sealed: Buffer): Promise<void> {
  const { id, name, role, createdAt, lastUsedAt, expiresAt, address, userAgent } = session;
  await sessions(tx)
    .insertInto(table)
    .values({
      id,
      hash,
      sealed,
      name,
      role,
      created_at: instant(createdAt, true),
      last_used_at: instant(lastUsedAt, true),
      expires_at: instant(expiresAt, true),
      address,
      user_agent: userAgent,
    })
    .execute();
}

/** Records a use, unless a later one is recorded already. */
export async function markSessionUsed(db: Db, id: string, at: number): Promise<void> {
  await sessions(db)
    .updateTable(table)
    .set({ last_used_at: instant(at, true) })
    .where("id", "=", id)
    .where("last_used_at", "<", instant(at, true))
    .execute();
}

/**
 * Sessions that have not expired, newest first, before that with the id `before`. Reads `limit + 1` rows to know
 * whether there are more.
 * @param name only this caller's; null: everybody's
 */
export async function listSessions(
  db: Db,
  { name, now, limit, before }: { name: string | null; now: number; limit: number; before: string | null },
): Promise<{ sessions: Session[]; hasMore: boolean }> {
  let query = sessions(db).selectFrom(table).select(columns).where("expires_at", ">", instant(now, true));
  if (name !== null) query = query.where("name", "=", name);
  // Ids are in the order of time.
  if (before !== null) query = query.where("id", "<", sql<string>`${before}`);
  const rows = await query
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  return { sessions: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** @param name only if it is this caller's; null: anybody's @returns the session that was removed */
export async function deleteSession(tx: Db, id: string, name: string | null): Promise<Session | undefined> {
  let query = sessions(tx).deleteFrom(table).where("id", "=", id);
  if (name !== null) query = query.where("name", "=", name);
  return query.returning(columns).executeTakeFirst();
}

export async function deleteSessionByHash(tx: Db, hash: Buffer): Promise<Session | undefined> {
  return sessions(tx).deleteFrom(table).where("hash", "=", hash).returning(columns).executeTakeFirst();
}

/** @returns how many there were */
export async function deleteSessionsOf(tx: Db, name: string): Promise<number> {
  const rows = await sessions(tx).deleteFrom(table).where("name", "=", name).returning("id").execute();
  return rows.length;
}

/** Ends the oldest sessions of a caller who has more than `most`. */
export async function deleteSessionsBeyond(tx: Db, name: string, most: number): Promise<void> {
  await sessions(tx)
    .deleteFrom(table)
    .where("name", "=", name)
    .where("id", "<=", (eb) =>
      eb.selectFrom(table).select("id").where("name", "=", name).orderBy("id", "desc").offset(most).limit(1),
    )
    .execute();
}

/** @returns how many had expired */
export async function deleteExpiredSessions(db: Db, now: number): Promise<number> {
  const rows = await sessions(db)
    .deleteFrom(table)
    .where("expires_at", "<=", instant(now, true))
    .returning("id")
    .execute();
  return rows.length;
}
