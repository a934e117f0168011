import { type Kysely, sql } from "kysely";
import type { Owner } from "../../words/caller.js";
import type { TransferStore } from "../../words/rows.js";
import type { SourceTable } from "./sourceTable.js";
import { epochMicros } from "../expressions.js";

/**
 * The stores of a litellm-pgvector, a litellm-vector-store or another installation of this service, each with the
 * columns that its table has. litellm-pgvector's counters are not read: they are wrong in practice.
 * @param adoptedOwner whose those stores of the other two are that have no owner; null: nobody's
 */
export async function readSourceStores(
  tx: Kysely<unknown>,
  table: SourceTable,
  adoptedOwner: Owner | null,
): Promise<TransferStore[]> {
  const has = (name: string) => table.columns.some((each) => each.name === name);
  const text = (name: string) => (has(name) ? sql`s.${sql.id(name)}::text` : sql`NULL::text`);
  const { rows } = await sql<TransferStore>`
    SELECT s.id::text AS id, ${text("name")} AS name, ${text("description")} AS description, ${text("metadata")} AS metadata,
           NULLIF(${text("owner_user_id")}, '') AS "ownerUserId", ${text("owner_team_id")} AS "ownerTeamId",
           ${text("owner_key_id")} AS "ownerKeyId", ${text("expires_after")} AS "expiresAfter",
           ${has("created_at") ? epochMicros(sql`s.created_at`) : sql`NULL::int8`} AS "createdAt",
           ${text("embedding_model")} AS "embeddingModel",
           ${has("embedding_dimensions") ? sql`s.embedding_dimensions` : sql`NULL::int4`} AS "embeddingDimensions",
           ${has("asks_dimensions") ? sql`s.asks_dimensions` : sql`false`} AS "asksDimensions",
           ${text("embedding_prompts")} AS prompts,
           ${text("search_settings")} AS search
    FROM ${table.reference} AS s WHERE ${has("leaving") ? sql`NOT s.leaving` : sql`true`} ORDER BY s.id`.execute(tx);
  const stores = rows.map((row) => ({ ...row, name: (row.name as string | null) ?? "" }));
  // Only our own tables know owners that are no users; a store without any is meant to be the service's.
  if (adoptedOwner === null || has("owner_team_id")) return stores;
  const { userId, teamId } = adoptedOwner;
  return stores.map((store) =>
    store.ownerUserId === null ? { ...store, ownerUserId: userId, ownerTeamId: teamId } : store,
  );
}
