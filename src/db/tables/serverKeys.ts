import { sql } from "kysely";
import type { ServerKey } from "../../words/accessKey.js";
import type { KeyScope } from "../../words/caller.js";
import { type Db, ours } from "../database.js";
import { epochMillis, instant } from "../expressions.js";
import type { ColumnsOf } from "../schema/ourTables.js";

const table = "vector_store_keys";
const keys = (db: Db) => ours(db, table);
type Columns = ColumnsOf<typeof table>;

const columns = (eb: Columns) =>
  [
    "id",
    "name",
    "ending",
    // Of a key that requires an identity, the row says "user:write" (sql/0015).
    sql<KeyScope>`replace(${eb.ref("scope")}, 'user:', '')`.as("scope"),
    sql<boolean>`starts_with(${eb.ref("scope")}, 'user:')`.as("identityRequired"),
    "stores",
    epochMillis(eb.ref("created_at")).as("createdAt"),
    "created_by as createdBy",
    sql<number | null>`${epochMillis(eb.ref("expires_at"))}`.as("expiresAt"),
    sql<number | null>`${epochMillis(eb.ref("last_used_at"))}`.as("lastUsedAt"),
    sql<number | null>`${epochMillis(eb.ref("old_until"))}`.as("oldUntil"),
  ] as const;

/** A key that still works, by the SHA-256 of what was sent. */
export async function findKeyByHash(db: Db, hash: Buffer, now: number): Promise<ServerKey | undefined> {
  return keys(db)
    .selectFrom(table)
    .select(columns)
    .where((eb) =>
      eb.or([eb("hash", "=", hash), eb.and([eb("old_hash", "=", hash), eb("old_until", ">", instant(now, true))])]),
    )
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", instant(now, true))]))
    .executeTakeFirst();
}

export async function listKeys(db: Db): Promise<ServerKey[]> {
  return keys(db).selectFrom(table).select(columns).orderBy("created_at").orderBy("id").execute();
}

/** @returns false if another key has this name */
export async function insertKey(tx: Db, key: ServerKey, hash: Buffer): Promise<boolean> {
  const added = await keys(tx)
    .insertInto(table)
    .values({
      id: key.id,
      name: key.name,
      hash,
      ending: key.ending,
      scope: key.identityRequired ? `user:${key.scope}` : key.scope,
      stores: key.stores,
      created_at: instant(key.createdAt, true),
      created_by: key.createdBy,
      expires_at: key.expiresAt === null ? null : instant(key.expiresAt, true),
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returning("id")
    .executeTakeFirst();
  return added !== undefined;
}

/** Gives a key a new secret. The one before works until `oldUntil`; one before that stops. */
export async function replaceHash(
  tx: Db,
  id: string,
  next: { hash: Buffer; ending: string; oldUntil: number },
): Promise<ServerKey | undefined> {
  return keys(tx)
    .updateTable(table)
    .set((eb) => ({
      old_hash: eb.ref("hash"),
      old_until: instant(next.oldUntil, true),
      hash: next.hash,
      ending: next.ending,
    }))
    .where("id", "=", id)
    .returning(columns)
    .executeTakeFirst();
}

/** @returns the key that was removed; undefined: there was none */
export async function deleteKey(tx: Db, id: string): Promise<ServerKey | undefined> {
  return keys(tx).deleteFrom(table).where("id", "=", id).returning(columns).executeTakeFirst();
}

/** Records when keys were used last. */
export async function markKeysUsed(db: Db, used: ReadonlyMap<string, number>): Promise<void> {
  for (const [id, at] of used) {
    await keys(db)
      .updateTable(table)
      .set({ last_used_at: sql<Date>`GREATEST(last_used_at, ${instant(at, true)})` })
      .where("id", "=", id)
      .execute();
  }
}
