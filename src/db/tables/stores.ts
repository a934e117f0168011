import { type RawBuilder, sql } from "kysely";
import type { Scope } from "../../words/caller.js";
import { bigintId, idTimestamp, newId, uuidV7 } from "../../words/ids.js";
import type { IdType, Layout } from "../schema/layout.js";
import type { Db } from "../connection/database.js";

export interface ExpiresAfter {
  anchor: "last_active_at";
  days: number;
}

/** What a store was told of how to search it; what is absent is as the request or the default says. */
export interface SearchSettings {
  mode?: "vector" | "keyword" | "hybrid" | undefined;
  recall?: "exact" | "high" | "fast" | undefined;
  /** A text search configuration of PostgreSQL, e.g. "english". */
  language?: string | undefined;
  /** Weights of the two lists of a hybrid search, each 0…1, not both 0. */
  embeddingWeight?: number | undefined;
  textWeight?: number | undefined;
  /** Whether a rerank model puts the results in order, and which. */
  rerank?: boolean | undefined;
  rerankModel?: string | undefined;
}

/** A vector store as recorded. Times are Unix milliseconds. */
export interface VectorStore {
  id: string;
  name: string;
  description: string | null;
  metadata: unknown;
  expiresAfter: ExpiresAfter | null;
  createdAt: number;
  lastActiveAt: number | null;
  expiresAt: number | null;
  /** Rows of the embeddings table, and the bytes of their contents in UTF-8. */
  chunkCount: number;
  contentBytes: number;
  /** Null: the model of the settings, for a store that was made before stores had a model of their own. */
  embeddingModel: string | null;
  /** Null until the first vector, for a store that was adopted without any. */
  embeddingDimensions: number | null;
  /** The model is asked for that many dimensions; otherwise it gives them by itself. */
  asksDimensions: boolean;
  search: SearchSettings;
  /** State of what is derived from the record; see sql/0002_search.sql. */
  vectorsComplete: boolean;
  vectorsTable: number | null;
  vectorsIndexed: boolean;
  vectorsBuilt: number;
  vectorsNext: number | null;
  keywordsLanguage: string | null;
  keywordsComplete: boolean;
  reindexRequested: boolean;
  /** Files whose chunks are being written, which no search may see yet. */
  hiddenFiles: string[];
}

export interface Cursor {
  id: string;
  /** When the id says it was made: a page can go on after a store that was deleted meanwhile. */
  madeAt: number | null;
}

export const storesOf = (layout: Layout) => layout.vectorStores.table;

/** A moment as the column's own type; litellm-pgvector's timestamps have no zone and are in UTC. */
export function instant(millis: number, zoned: boolean): RawBuilder<unknown> {
  const moment = sql`to_timestamp(${millis / 1000}::float8)`;
  return zoned ? moment : sql`(${moment} AT TIME ZONE 'UTC')`;
}

/** Unix milliseconds of a timestamp column of either kind: `extract(epoch)` reads one without zone as UTC. */
export function epochMillis(column: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/** The same in microseconds, as precise as the column. */
export function epochMicros(column: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`floor(extract(epoch FROM ${column}) * 1000000)::bigint`;
}

/**
 * A text that is read as it is: PGlite takes a U+FEFF at its beginning for a mark and drops it. `exactly` takes off what stands before it.
 */
export const exactText = (column: RawBuilder<unknown>): RawBuilder<string> => sql<string>`('=' || ${column}::text)`;
export const exactly = (text: string): string => text.slice(1);

/** False for ids that the column's type cannot hold: they cannot exist, and PostgreSQL would raise an error on comparing them. */
export function canHold(type: IdType, id: string): boolean {
  if (id.includes("\0") || id.length > 1000) return false;
  if (type === "uuid") return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  return type === "text" || (/^-?\d{1,19}$/.test(id) && BigInt.asIntN(64, BigInt(id)) === BigInt(id));
}

/** A new id for a store or a chunk, in the form its column takes. */
export function makeId(type: IdType, prefix: "vs_" | "emb_", now: number = Date.now()): string {
  if (type === "uuid") return uuidV7(now);
  return type === "text" ? newId(prefix, now) : bigintId(now);
}

const within = (scope: Scope) => (scope.kind === "all" ? sql`true` : sql`s.owner_user_id = ${scope.userId}`);

/** A `VectorStore` of the row s. */
export const storeColumns = sql`
  s.id::text AS id, s.name, s.description, s.metadata, s.expires_after AS "expiresAfter",
  ${epochMillis(sql`s.created_at`)} AS "createdAt", ${epochMillis(sql`s.last_active_at`)} AS "lastActiveAt",
  ${epochMillis(sql`s.expires_at`)} AS "expiresAt", s.chunk_count AS "chunkCount", s.content_bytes AS "contentBytes",
  s.embedding_model AS "embeddingModel", s.embedding_dimensions AS "embeddingDimensions", s.asks_dimensions AS "asksDimensions",
  COALESCE(s.search_settings, '{}') AS search, s.vectors_complete AS "vectorsComplete", s.vectors_table AS "vectorsTable",
  s.vectors_indexed AS "vectorsIndexed", s.vectors_built AS "vectorsBuilt", s.vectors_next AS "vectorsNext", s.keywords_language AS "keywordsLanguage", s.keywords_complete AS "keywordsComplete",
  s.reindex_requested AS "reindexRequested", s.hidden_files AS "hiddenFiles"`;

const json = (value: unknown) => (value === null ? null : JSON.stringify(value));

export interface NewVectorStore {
  name: string;
  description: string | null;
  metadata: Record<string, unknown> | null;
  expiresAfter: ExpiresAfter | null;
  embeddingModel: string | null;
  embeddingDimensions: number;
  asksDimensions: boolean;
  search: SearchSettings;
}

/** A new store is empty, so nothing that is derived from its rows is missing. */
export async function insertStore(
  db: Db,
  store: NewVectorStore,
  owner: string | null,
  now: number,
): Promise<VectorStore> {
  const { idType, zoned } = db.layout.vectorStores;
  const id = makeId(idType, "vs_", now);
  // The very moment that the id tells, which may be a few milliseconds later: a page goes on after a deleted store by its id alone.
  const told = idTimestamp(id) ?? now;
  const moment = instant(Math.abs(told - now) < 1000 ? told : now, zoned);
  const { rows } = await sql<VectorStore>`
    INSERT INTO ${storesOf(db.layout)} AS s
      (id, name, description, metadata, expires_after, created_at, last_active_at, expires_at, owner_user_id,
       embedding_model, embedding_dimensions, asks_dimensions, search_settings, vectors_complete)
    OVERRIDING SYSTEM VALUE
    VALUES (${id}, ${store.name}, ${store.description}, ${JSON.stringify(store.metadata ?? {})}::jsonb,
            ${json(store.expiresAfter)}::jsonb, ${moment}, ${moment}, ${expiry(moment, sql`${json(store.expiresAfter)}::jsonb`)}, ${owner},
            ${store.embeddingModel}, ${store.embeddingDimensions}, ${store.asksDimensions}, ${JSON.stringify(store.search)}::jsonb, true)
    RETURNING ${storeColumns}`.execute(db.run);
  return one(rows);
}

export async function findStore(db: Db, scope: Scope, id: string): Promise<VectorStore | undefined> {
  if (!canHold(db.layout.vectorStores.idType, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    SELECT ${storeColumns} FROM ${storesOf(db.layout)} AS s WHERE s.id = ${id} AND ${within(scope)}`.execute(db.run);
  return rows[0];
}

/**
 * Marks a store as used and returns it; undefined when it is absent, out of scope, expired, or held by somebody who changes it: a search
 * waits for no lock. Nor for the disk: a crash may lose the last half second's marks, which say no more than that a store was used. Not for
 * use inside a transaction, for that one would not wait either.
 */
export async function touchStore(db: Db, scope: Scope, id: string, now: number): Promise<VectorStore | undefined> {
  if (!canHold(db.layout.vectorStores.idType, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db.layout)} AS s SET ${activity(db.layout, now)}
    WHERE s.id = (SELECT s.id FROM ${storesOf(db.layout)} AS s WHERE s.id = ${id} AND ${within(scope)} AND ${alive(db.layout, now)}
                  AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
                  FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING ${storeColumns}`.execute(db.run);
  return rows[0];
}

/**
 * Counts rows that were added (or, negative, removed) in the same transaction. Undefined when the store is gone, or expired and rows
 * were added; else the store as it is from here on, since its row is held until the transaction ends. Never below zero: litellm-pgvector, writing to the same tables, does not count.
 */
export async function addToCounts(
  db: Db,
  id: string,
  change: { chunks: number; bytes: number; dimensions: number | null },
  now: number,
): Promise<VectorStore | undefined> {
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db.layout)} AS s
    SET chunk_count = GREATEST(0, s.chunk_count + ${change.chunks}::bigint),
        content_bytes = GREATEST(0, s.content_bytes + ${change.bytes}::bigint),
        embedding_dimensions = COALESCE(s.embedding_dimensions, ${change.dimensions}::int), ${activity(db.layout, now)}
    WHERE s.id = ${id} AND ${change.chunks > 0 ? alive(db.layout, now) : sql`true`}
    RETURNING ${storeColumns}`.execute(db.run);
  return rows[0];
}

export interface StoreChanges {
  name?: string | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  expiresAfter?: ExpiresAfter | null | undefined;
  /** Only what is to change; null takes a setting away. */
  search?: { [K in keyof SearchSettings]: SearchSettings[K] | null } | undefined;
}

/** Any update counts as use, so it also brings an expired store back until it is swept. */
export async function updateStore(db: Db, scope: Scope, id: string, changes: StoreChanges, now: number) {
  if (!canHold(db.layout.vectorStores.idType, id)) return undefined;
  const { name, metadata, expiresAfter, search } = changes;
  const policy = expiresAfter === undefined ? sql`s.expires_after` : sql`${json(expiresAfter)}::jsonb`;
  const moment = lastUse(db.layout, now);
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db.layout)} AS s
    SET name = ${name === undefined ? sql`s.name` : sql`${name}`},
        metadata = ${metadata === undefined ? sql`s.metadata` : sql`${JSON.stringify(metadata ?? {})}::jsonb`},
        search_settings = ${search === undefined ? sql`s.search_settings` : sql`jsonb_strip_nulls(COALESCE(s.search_settings, '{}') || ${JSON.stringify(search)}::jsonb)`},
        expires_after = ${policy}, last_active_at = ${moment}, expires_at = ${expiry(moment, policy)}
    WHERE s.id = ${id} AND ${within(scope)}
    RETURNING ${storeColumns}`.execute(db.run);
  return rows[0];
}

export async function setHiddenFiles(tx: Db, id: string, fileIds: readonly string[]): Promise<void> {
  await sql`UPDATE ${storesOf(tx.layout)} AS s SET hidden_files = ${[...fileIds]}::text[] WHERE s.id = ${id}`.execute(
    tx.run,
  );
}

/** Removes a store; its embeddings must have been removed in the same transaction. */
export async function deleteStore(db: Db, scope: Scope, id: string): Promise<boolean> {
  if (!canHold(db.layout.vectorStores.idType, id)) return false;
  const { rows } = await sql`
    DELETE FROM ${storesOf(db.layout)} AS s WHERE s.id = ${id} AND ${within(scope)} RETURNING 1`.execute(db.run);
  return rows.length > 0;
}

/** Holds a store's row until the transaction ends, so that nothing is added to it meanwhile. */
export async function lockStore(db: Db, scope: Scope, id: string): Promise<VectorStore | undefined> {
  if (!canHold(db.layout.vectorStores.idType, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    SELECT ${storeColumns} FROM ${storesOf(db.layout)} AS s WHERE s.id = ${id} AND ${within(scope)} FOR UPDATE`.execute(
    db.run,
  );
  return rows[0];
}

/**
 * One page in the order of (created_at, id): a keyset, so nothing is skipped or repeated while others write.
 * Reads `limit + 1` rows to know whether there are more.
 */
export async function listStores(
  db: Db,
  scope: Scope,
  page: { limit: number; order: "asc" | "desc"; after: Cursor | null; before: Cursor | null },
): Promise<{ stores: VectorStore[]; hasMore: boolean }> {
  const backwards = page.before !== null && page.after === null;
  const ascending = (page.order === "asc") !== backwards;
  const position = (cursor: Cursor) => sql`(
    COALESCE((SELECT c.created_at FROM ${storesOf(db.layout)} AS c WHERE c.id = ${cursor.id}),
             ${cursor.madeAt === null ? sql`NULL` : instant(cursor.madeAt, db.layout.vectorStores.zoned)}), ${cursor.id})`;
  const later = sql.raw(page.order === "asc" ? ">" : "<");
  const earlier = sql.raw(page.order === "asc" ? "<" : ">");
  const { rows } = await sql<VectorStore>`
    SELECT ${storeColumns} FROM ${storesOf(db.layout)} AS s
    WHERE ${within(scope)}
      AND ${page.after === null ? sql`true` : sql`(s.created_at, s.id) ${later} ${position(page.after)}`}
      AND ${page.before === null ? sql`true` : sql`(s.created_at, s.id) ${earlier} ${position(page.before)}`}
    ORDER BY s.created_at ${direction(ascending)}, s.id ${direction(ascending)}
    LIMIT ${page.limit + 1}`.execute(db.run);
  const stores = rows.slice(0, page.limit);
  return { stores: backwards ? stores.reverse() : stores, hasMore: rows.length > page.limit };
}

/** Ids of stores that expired before a moment, at most `limit`. */
export async function listExpiredBefore(db: Db, moment: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT s.id::text AS id FROM ${storesOf(db.layout)} AS s
    WHERE s.expires_at < ${instant(moment, db.layout.vectorStores.zoned)} LIMIT ${limit}`.execute(db.run);
  return rows.map((row) => row.id);
}

const direction = (ascending: boolean) => sql.raw(ascending ? "ASC" : "DESC");

const alive = (layout: Layout, now: number) =>
  sql`(s.expires_at IS NULL OR s.expires_at > ${instant(now, layout.vectorStores.zoned)})`;

/** last_active_at never goes back, whichever of several replicas' clocks is behind; nor does the expiry that follows from it. */
const lastUse = (layout: Layout, now: number) =>
  sql`GREATEST(s.last_active_at, ${instant(now, layout.vectorStores.zoned)})`;

function activity(layout: Layout, now: number): RawBuilder<unknown> {
  const moment = lastUse(layout, now);
  return sql`last_active_at = ${moment}, expires_at = ${expiry(moment, sql`s.expires_after`)}`;
}

/**
 * `last_active_at` + days × 86,400 s exactly (an interval of days would follow the session's summer time); null without a policy.
 * litellm-pgvector stored any policy it was given, so what is no number of days counts as none.
 */
export const expiry = (moment: RawBuilder<unknown>, policy: RawBuilder<unknown>) =>
  sql`CASE WHEN ${policy} ->> 'days' ~ '^[0-9]{1,5}$' THEN ${moment} + make_interval(secs => (${policy} ->> 'days')::float8 * 86400) END`;

function one<T>(rows: T[]): T {
  const [row] = rows;
  if (row === undefined) throw new Error("the database returned no row");
  return row;
}
