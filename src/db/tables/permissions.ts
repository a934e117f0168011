import type { Owner, StorePermission } from "../../words/caller.js";
import type { Grant } from "../../words/grant.js";
import type { TakenGrant } from "../../words/takenOver.js";
import { sql } from "kysely";
import { type Db, ours } from "../database.js";
import { epochMillis, instant } from "../expressions.js";
import { takenAway } from "./takenAway.js";

const table = "vector_store_permissions";

/** Who may use a store beside its owner, by subject. */
export async function listGrants(db: Db, storeId: string): Promise<Grant[]> {
  return ours(db, table)
    .selectFrom(table)
    .select(["subject", "permission", "granted_by as grantedBy"])
    .select((eb) => epochMillis(eb.ref("granted_at")).as("grantedAt"))
    .where("vector_store_id", "=", storeId)
    .orderBy("subject")
    .execute();
}

/** Grants a permission, in the place of the one that the subject had. */
export async function putGrant(tx: Db, storeId: string, grant: Grant): Promise<void> {
  const values = {
    permission: grant.permission,
    granted_at: instant(grant.grantedAt, true),
    granted_by: grant.grantedBy,
  };
  await ours(tx, table)
    .insertInto(table)
    .values({ vector_store_id: storeId, subject: grant.subject, ...values })
    .onConflict((conflict) => conflict.columns(["vector_store_id", "subject"]).doUpdateSet(values))
    .execute();
}

/**
 * Grants what another database had granted, to those who have no permission on the store yet. What was taken away here
 * since stays taken away. As SQL, because it also asks the log of acts.
 * @returns what was granted
 */
export async function addGrants(
  tx: Db,
  grants: readonly TakenGrant[],
  { by, now }: { by: string; now: number },
): Promise<TakenGrant[]> {
  const { ours: tables, vectorStores } = tx.layout;
  const given = { storeId: sql`s.id::text`, subject: sql`g.subject` };
  const { rows } = await sql<TakenGrant>`
    INSERT INTO ${tables[table].reference} (vector_store_id, subject, permission, granted_at, granted_by)
    SELECT s.id, g.subject, g.permission, ${instant(now, true)}, ${by}::text
    FROM jsonb_to_recordset(${JSON.stringify(grants)}::jsonb) AS g("storeId" text, subject text, permission text)
    JOIN ${vectorStores.table} AS s ON s.id = g."storeId"::${sql.raw(vectorStores.idType)}
    WHERE NOT ${takenAway(tables.vector_store_audit.reference, given)}
    ORDER BY s.id, g.subject
    ON CONFLICT (vector_store_id, subject) DO NOTHING
    RETURNING vector_store_id::text AS "storeId", subject, permission`.execute(tx.run);
  return rows;
}

/** @returns what the subject was permitted; undefined: nothing */
export async function deleteGrant(tx: Db, storeId: string, subject: string): Promise<StorePermission | undefined> {
  const gone = await ours(tx, table)
    .deleteFrom(table)
    .where("vector_store_id", "=", storeId)
    .where("subject", "=", subject)
    .returning("permission")
    .executeTakeFirst();
  return gone?.permission;
}

/** Gives a store another owner. As SQL, because the table of stores has the columns that its owner chose. */
export async function setStoreOwner(tx: Db, storeId: string, owner: Owner): Promise<void> {
  await sql`
    UPDATE ${tx.layout.vectorStores.table} AS s
    SET owner_user_id = ${owner.userId}, owner_team_id = ${owner.teamId}, owner_key_id = ${owner.keyId}
    WHERE s.id = ${storeId}`.execute(tx.run);
}
