import { sql } from "kysely";
import type { Config } from "../../process/config.js";
import type { Log } from "../../process/log.js";
import { newId } from "../../words/ids.js";
import type { Db } from "../database.js";
import { insertAudit } from "../tables/audit.js";
import { firstOf, mostNamed, takePeople } from "./adoptPeople.js";
import type { Tables } from "./tables.js";

/**
 * What another program's tables still lack after the migrations, in their transaction: values that it may leave out,
 * room for longer texts, owners, and what litellm-vector-store has beside them. Nothing is removed, and no row of the
 * table of embeddings is touched. Rows that cannot be taken over are named in the log.
 */
export async function adopt(tx: Db, tables: Tables, { access }: Pick<Config, "access">, log: Log): Promise<void> {
  for (const column of ["name", "owner_user_id"]) await widen(tx, column);
  await completeStores(tx);
  await nameUnusable(tx, log);
  const now = Date.now();
  const owned = await giveStores(tx, access);
  const taken = await takePeople(tx, tables, { retentionDays: access.usageDays, now }, log);
  if (owned === 0 && taken === null) return;
  const details = { given_to: owned === 0 ? null : access.adoptedOwner, stores_given: owned, ...taken };
  await insertAudit(tx, {
    id: newId("audit_", now),
    at: now,
    actor: "adoption",
    action: "store.adopt",
    target: tables.vectorStores.quoted,
    details,
    address: null,
    requestId: null,
  });
  log.info(details, "the adopted vector stores have owners, permissions and usage as far as they could be taken over");
}

/**
 * Makes a column of limited length take texts of any length, which changes only the catalogue. A view of somebody
 * else's may forbid it; then longer texts are refused, one by one.
 */
async function widen(tx: Db, column: string): Promise<void> {
  const { sql: change } =
    sql`ALTER TABLE ${tx.layout.vectorStores.table} ALTER COLUMN ${sql.id(column)} TYPE text`.compile(tx.run);
  await sql`DO ${sql.lit(`BEGIN ${change}; EXCEPTION WHEN feature_not_supported THEN NULL; END`)}`.execute(tx.run);
}

async function completeStores(tx: Db): Promise<void> {
  const { table, zoned } = tx.layout.vectorStores;
  const e = tx.layout.embeddings;
  const now = zoned ? sql`now()` : sql`now() AT TIME ZONE 'UTC'`;
  await sql`UPDATE ${table} SET created_at = ${now} WHERE created_at IS NULL`.execute(tx.run);
  await sql`UPDATE ${table} SET owner_user_id = NULL WHERE owner_user_id = ''`.execute(tx.run);
  // The migration asks one row of each store, and its embedding may be absent.
  await sql`
    UPDATE ${table} AS s SET embedding_dimensions = (
      SELECT vector_dims(${e.embedding}) FROM ${e.table} AS e
      WHERE ${e.vectorStoreId}::text = s.id::text AND ${e.embedding} IS NOT NULL LIMIT 1)
    WHERE s.chunk_count > 0 AND s.embedding_dimensions IS NULL`.execute(tx.run);
}

/** Gives stores without an owner to ADOPTED_OWNER, if that is set. @returns how many */
async function giveStores(tx: Db, { adoptedOwner }: Config["access"]): Promise<number> {
  if (adoptedOwner === null) return 0;
  const { userId, teamId } = adoptedOwner;
  const { rows } = await sql`
    UPDATE ${tx.layout.vectorStores.table} SET owner_user_id = ${userId}, owner_team_id = ${teamId}
    WHERE owner_user_id IS NULL AND owner_team_id IS NULL AND owner_key_id IS NULL RETURNING 1`.execute(tx.run);
  return rows.length;
}

/** litellm-vector-store's columns allow rows that no store shows, or that no search by meaning finds. */
async function nameUnusable(tx: Db, log: Log): Promise<void> {
  const e = tx.layout.embeddings;
  const kinds = [
    [sql`${e.vectorStoreId} IS NULL`, "belong to no vector store, so nobody sees them"],
    [sql`${e.embedding} IS NULL`, "have no embedding: keywords find them, searches by meaning do not"],
  ] as const;
  for (const [condition, what] of kinds) {
    const { rows } = await sql<{ count: number; ids: string[] }>`
      SELECT count(*) AS count,
             ARRAY(SELECT ${e.id}::text FROM ${e.table} AS e WHERE ${condition} ORDER BY ${e.id} LIMIT ${mostNamed}) AS ids
      FROM ${e.table} AS e WHERE ${condition}`.execute(tx.run);
    const { count, ids } = rows[0] ?? { count: 0, ids: [] };
    if (count > 0) {
      log.warn(`${count} ${count === 1 ? "row" : "rows"} of ${e.quotedTable} ${what}: ${firstOf(ids, count)}`);
    }
  }
}
