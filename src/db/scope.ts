import { type Expression, type RawBuilder, sql } from "kysely";
import { type Owner, type Scope, type StorePermission, storePermissions } from "../words/caller.js";
import type { Db } from "./database.js";
import { asWritten } from "./schema/ids.js";

/** The columns of a row that say whose it is. */
interface OwnerColumns {
  user: Expression<unknown>;
  team: Expression<unknown>;
  key: Expression<unknown>;
}

/**
 * The rows of a table that a scope may see, as a condition for every WHERE. One function for files, uploads and, with
 * what `grants` adds, stores, so that every statement means the same by a scope.
 *
 * A row belongs to its user; the teammates of that user may write to it, but only the user may delete or share it. A
 * row without a user is wholly its team's.
 */
export function within(scope: Scope, owner: OwnerColumns): RawBuilder<boolean> {
  switch (scope.kind) {
    case "all":
      return sql<boolean>`true`;
    case "none":
      return sql<boolean>`false`;
    case "listed":
      return sql<boolean>`${owner.key} = ${scope.keyId}`;
    case "held":
      // Nothing belongs to a holder without any of the three.
      return sql<boolean>`(${sql.join([sql`false`, ...holdings(scope.by, scope.need, owner)], sql` OR `)})`;
  }
}

/** Each way in which a row may belong to a holder, as a condition that an index on its column serves. */
function holdings({ userId, teamId, keyId }: Owner, need: StorePermission, owner: OwnerColumns): RawBuilder<boolean>[] {
  const alone = need === "admin" ? sql`AND ${owner.user} IS NULL` : sql``;
  return [
    ...(userId === null ? [] : [sql<boolean>`${owner.user} = ${userId}`]),
    ...(teamId === null ? [] : [sql<boolean>`(${owner.team} = ${teamId} ${alone})`]),
    ...(keyId === null ? [] : [sql<boolean>`${owner.key} = ${keyId}`]),
  ];
}

const storeOwner: OwnerColumns = {
  user: sql.ref("s.owner_user_id"),
  team: sql.ref("s.owner_team_id"),
  key: sql.ref("s.owner_key_id"),
};

/** The same for the row s of the table of stores, with what was granted. For statements that name a store. */
export function storeWithin(db: Db, scope: Scope): RawBuilder<boolean> {
  switch (scope.kind) {
    case "all":
    case "none":
      return within(scope, storeOwner);
    case "listed":
      return isListed(db, scope.stores);
    case "held":
      return sql<boolean>`(${within(scope, storeOwner)} OR EXISTS (
        SELECT 1 FROM ${grants(db)} AS g WHERE g.vector_store_id = s.id AND ${granted(scope)}
      )) AND ${scope.onlyStores === null ? sql`true` : isListed(db, scope.onlyStores)}`;
  }
}

/**
 * The same as `storeWithin` for lists: the ids come from the indexes on owners and grants, so that a page of a user
 * with few stores does not read everybody's.
 */
export function storesWithin(db: Db, scope: Scope): RawBuilder<boolean> {
  if (scope.kind !== "held") return storeWithin(db, scope);
  const own = holdings(scope.by, scope.need, storeOwner).map(
    (holding) => sql`SELECT s.id FROM ${db.layout.vectorStores.table} AS s WHERE ${holding}`,
  );
  const given = sql`SELECT g.vector_store_id FROM ${grants(db)} AS g WHERE ${granted(scope)}`;
  return sql<boolean>`s.id IN (${sql.join([...own, given], sql` UNION ALL `)})
    AND ${scope.onlyStores === null ? sql`true` : isListed(db, scope.onlyStores)}`;
}

const grants = (db: Db) => db.layout.ours.vector_store_permissions.reference;

/** What LiteLLM or an earlier version lists may be spelled otherwise than in the table of stores. */
const isListed = (db: Db, ids: readonly string[]) => {
  const written = ids.flatMap((id) => asWritten(db.layout.vectorStores.idType, id) ?? []);
  return sql<boolean>`s.id::text = ANY(${written}::text[])`;
};

const granted = ({ by, need }: { by: Owner; need: StorePermission }) =>
  sql`g.subject = ANY(${subjectsOf(by)}::text[]) AND g.permission = ANY(${including(need)}::text[])`;

/** Whom a permission can be granted to, as far as the holder is meant. */
const subjectsOf = ({ userId, teamId }: Owner): string[] => [
  ...(userId === null ? [] : [`user:${userId}`]),
  ...(teamId === null ? [] : [`team:${teamId}`]),
  "everyone",
];

/** The permissions that include this one. */
const including = (need: StorePermission) => storePermissions.slice(storePermissions.indexOf(need));
