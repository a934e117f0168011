import { type RawBuilder, sql } from "kysely";
import type { Owner, Scope } from "../../words/caller.js";
import { idTimestamp } from "../../words/ids.js";
import type { Prompts } from "../../words/prompts.js";
import type { NewVectorStore, StoreChanges, VectorStore } from "../../words/store.js";
import type { Db } from "../database.js";
import { instant, jsonb } from "../expressions.js";
import { asWritten, canHold, derivedId, makeId } from "../schema/ids.js";
import { storeWithin } from "../scope.js";
import type { Layout } from "../schema/layout.js";
import { changeAssignments, createdValues, emptyStoreState, selectedStore, stateAssignments } from "./storeColumns.js";

const storesOf = (db: Db) => db.layout.vectorStores.table;
/** Nobody sees a store that is being removed. */
const visibleTo = (db: Db, scope: Scope) => sql`(${storeWithin(db, scope)} AND NOT s.leaving)`;

/** Whether this database can have a store with this id. */
export const canBeStoreId = (db: Db, id: string): boolean => canHold(db.layout.vectorStores.idType, id);

/** An id as the table of stores writes it; unchanged if no store can have it. */
export const writtenStoreId = (db: Db, id: string): string => asWritten(db.layout.vectorStores.idType, id) ?? id;

/** The id of a store derived from these parts, the same in every run. */
export const derivedStoreId = (db: Db, parts: readonly string[]): string =>
  derivedId(db.layout.vectorStores.idType, "vs_", parts);

/** Stores that meet a condition on the row s, for an engine's own queries. */
export async function selectStores(db: Db, condition: RawBuilder<unknown>): Promise<VectorStore[]> {
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${storesOf(db)} AS s WHERE ${condition} AND NOT s.leaving ORDER BY s.id`.execute(
    db.run,
  );
  return rows;
}

/** Adds an empty store, which lacks no derived data. */
export async function insertStore(db: Db, store: NewVectorStore, owner: Owner, now: number): Promise<VectorStore> {
  const { idType, zoned } = db.layout.vectorStores;
  const id = makeId(idType, "vs_", now);
  // Use the id's own millisecond: a page continues after a deleted store by its id alone. It may be a few milliseconds
  // later.
  const told = idTimestamp(id) ?? now;
  const moment = instant(Math.abs(told - now) < 1000 ? told : now, zoned);
  return insertRow(db, {
    id,
    created_at: moment,
    last_active_at: moment,
    expires_at: expiry(moment, jsonb(store.expiresAfter)),
    owner_user_id: owner.userId,
    owner_team_id: owner.teamId,
    owner_key_id: owner.keyId,
    ...createdValues(store),
    ...emptyStoreState,
  });
}

/** @param values by column, as values or expressions */
export async function insertRow(db: Db, values: Readonly<Record<string, unknown>>): Promise<VectorStore> {
  const columns = Object.keys(values).map((name) => sql.ref(name));
  const { rows } = await sql<VectorStore>`
    INSERT INTO ${storesOf(db)} AS s (${sql.join(columns)}) OVERRIDING SYSTEM VALUE
    VALUES (${sql.join(Object.values(values))}) RETURNING ${selectedStore}`.execute(db.run);
  const [row] = rows;
  if (row === undefined) throw new Error("the database returned no row");
  return row;
}

export async function findStore(db: Db, scope: Scope, id: string): Promise<VectorStore | undefined> {
  if (!canBeStoreId(db, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${storesOf(db)} AS s WHERE s.id = ${id} AND ${visibleTo(db, scope)}`.execute(db.run);
  return rows[0];
}

/** Locks a store's row until the transaction ends, so that nothing is added to the store meanwhile. */
export async function lockStore(tx: Db, scope: Scope, id: string): Promise<VectorStore | undefined> {
  if (!canBeStoreId(tx, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${storesOf(tx)} AS s WHERE s.id = ${id} AND ${visibleTo(tx, scope)} FOR UPDATE`.execute(
    tx.run,
  );
  return rows[0];
}

/**
 * Locks a store's row against every other change of its chunks but new ones, whose foreign key would otherwise wait:
 * two transactions that have both added chunks can take it one after the other.
 */
export async function holdStore(tx: Db, id: string): Promise<VectorStore | undefined> {
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${storesOf(tx)} AS s WHERE s.id = ${id} FOR NO KEY UPDATE`.execute(tx.run);
  return rows[0];
}

/**
 * Records a store's use and returns it; undefined if it is absent, out of scope, expired, or locked: a search waits for
 * no lock. It does not wait for the disk either: a crash may lose the last half second of these marks, which only say
 * that a store was used. Must not run inside a transaction, whose commit would then not wait for the disk.
 */
export async function touchStore(db: Db, scope: Scope, id: string, now: number): Promise<VectorStore | undefined> {
  if (!canBeStoreId(db, id)) return undefined;
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db)} AS s SET ${activity(db.layout, now)}
    WHERE s.id = (SELECT s.id FROM ${storesOf(db)} AS s WHERE s.id = ${id} AND ${visibleTo(db, scope)} AND ${alive(db.layout, now)}
                  AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
                  FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING ${selectedStore}`.execute(db.run);
  return rows[0];
}

/** Chunks that were added to a store (or, negative, removed from it), and the bytes of their contents. */
export interface CountChange {
  chunks: number;
  bytes: number;
  /** Numbers per vector, for a store that does not know it yet. */
  dimensions: number | null;
  /** Whether chunks were written, even if only in the place of others. Absent: if more were added than removed. */
  written?: boolean;
}

/**
 * Moves a store's counters in the transaction that changes its chunks, and locks its row until that ends. Counters
 * never fall below zero: litellm-pgvector, writing to the same tables, does not count.
 * @param as `use`: a client uses the store, which must not have expired if chunks are written. `ingestion`: the
 *   service's own work for a file, which continues in an expired store but does not revive it. `correction`: nobody
 *   used the store.
 * @returns the store as it is now; undefined if it is gone, or expired where it must not be.
 */
export async function addToCounts(
  tx: Db,
  id: string,
  change: CountChange,
  { as, now }: { as: "use" | "ingestion" | "correction"; now: number },
): Promise<VectorStore | undefined> {
  const isAlive = alive(tx.layout, now);
  const moment =
    as === "ingestion"
      ? sql`CASE WHEN ${isAlive} THEN ${lastUse(tx.layout, now)} ELSE s.last_active_at END`
      : lastUse(tx.layout, now);
  const used =
    as === "correction"
      ? sql``
      : sql`, last_active_at = ${moment}, expires_at = ${expiry(moment, sql`s.expires_after`)}`;
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(tx)} AS s
    SET chunk_count = GREATEST(0, s.chunk_count + ${change.chunks}::bigint),
        content_bytes = GREATEST(0, s.content_bytes + ${change.bytes}::bigint),
        embedding_dimensions = COALESCE(s.embedding_dimensions, ${change.dimensions}::int)${used}
    WHERE s.id = ${id} AND ${as === "use" && (change.written ?? change.chunks > 0) ? isAlive : sql`true`}
    RETURNING ${selectedStore}`.execute(tx.run);
  return rows[0];
}

/** Changes a store. Any update counts as use, so it revives an expired store until the sweep removes it. */
export async function updateStore(
  db: Db,
  scope: Scope,
  id: string,
  changes: StoreChanges,
  now: number,
): Promise<VectorStore | undefined> {
  if (!canBeStoreId(db, id)) return undefined;
  const { expiresAfter } = changes;
  const policy = expiresAfter === undefined ? sql`s.expires_after` : jsonb(expiresAfter);
  const moment = lastUse(db.layout, now);
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db)} AS s
    SET ${changeAssignments(changes)} last_active_at = ${moment}, expires_at = ${expiry(moment, policy)}
    WHERE s.id = ${id} AND ${visibleTo(db, scope)}
    RETURNING ${selectedStore}`.execute(db.run);
  return rows[0];
}

/** Records part of a store's engine state. Only the engine calls this. */
export async function recordEngineState(db: Db, id: string, changes: Readonly<Record<string, unknown>>): Promise<void> {
  await sql`UPDATE ${storesOf(db)} AS s SET ${stateAssignments(changes)} WHERE s.id = ${id}`.execute(db.run);
}

/** Removes a store's row; its chunks must have been removed in the same transaction. @returns whether it was there */
export async function deleteStore(tx: Db, scope: Scope, id: string): Promise<boolean> {
  if (!canBeStoreId(tx, id)) return false;
  const { rows } = await sql`
    DELETE FROM ${storesOf(tx)} AS s WHERE s.id = ${id} AND ${storeWithin(tx, scope)}
    RETURNING 1`.execute(tx.run);
  return rows.length > 0;
}

/**
 * Takes locked stores out of everybody's sight, with their files, so that their chunks can be removed in portions.
 * Searches that have read a row before find other files hidden, and read it again.
 */
export async function markLeaving(tx: Db, ids: readonly string[]): Promise<void> {
  const listed = sql`ANY(${[...ids]}::text[]::${sql.raw(tx.layout.vectorStores.idType)}[])`;
  await sql`
    UPDATE ${storesOf(tx)} AS s SET leaving = true, hidden_files = array_append(s.hidden_files, '(leaving)')
    WHERE s.id = ${listed}`.execute(tx.run);
  await sql`
    DELETE FROM ${tx.layout.ours.vector_store_files.reference} WHERE vector_store_id = ${listed}`.execute(tx.run);
}

/** As `lockStore`, for a store that is being removed. */
export async function lockLeaving(tx: Db, id: string): Promise<VectorStore | undefined> {
  const { rows } = await sql<VectorStore>`
    SELECT ${selectedStore} FROM ${storesOf(tx)} AS s WHERE s.id = ${id} AND s.leaving FOR UPDATE`.execute(tx.run);
  return rows[0];
}

const alive = (layout: Layout, now: number) =>
  sql`(s.expires_at IS NULL OR s.expires_at > ${instant(now, layout.vectorStores.zoned)})`;

/**
 * last_active_at never goes back, even when the clocks of replicas disagree; nor does the expiry that follows from it.
 */
const lastUse = (layout: Layout, now: number) =>
  sql`GREATEST(s.last_active_at, ${instant(now, layout.vectorStores.zoned)})`;

function activity(layout: Layout, now: number): RawBuilder<unknown> {
  const moment = lastUse(layout, now);
  return sql`last_active_at = ${moment}, expires_at = ${expiry(moment, sql`s.expires_after`)}`;
}

/**
 * `last_active_at` + days × 86,400 s exactly (an interval of days would follow the session's daylight saving time);
 * null without a policy. litellm-pgvector stored any policy it was given, so one without a number of days counts as
 * none.
 */
export const expiry = (moment: RawBuilder<unknown>, policy: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`CASE WHEN ${policy} ->> 'days' ~ '^[0-9]{1,5}$' THEN ${moment} + make_interval(secs => (${policy} ->> 'days')::float8 * 86400) END`;

/**
 * Records which model embeds a store's texts, in the transaction that stores the first of them. Its row is locked.
 * @param before what the store said when the texts were embedded
 * @returns the model that is recorded now; another one if that was recorded meanwhile. And what it wants with its texts
 */
export async function recordEmbeddedBy(
  tx: Db,
  id: string,
  model: string,
  before: string | null,
): Promise<{ model: string; prompts: Prompts | null }> {
  const { rows } = await sql<{ model: string; prompts: Prompts | null }>`
    UPDATE ${storesOf(tx)} AS s
    SET embedded_by = CASE WHEN s.embedded_by IS NOT DISTINCT FROM ${before}::text THEN ${model}::text ELSE s.embedded_by END
    WHERE s.id = ${id} RETURNING s.embedded_by AS model, s.embedding_prompts AS prompts`.execute(tx.run);
  return rows[0] ?? { model, prompts: null };
}

/**
 * Records what a store's model wants with its texts, unless that is recorded or a row was embedded without it.
 * @returns the store as it is now, perhaps with what another process recorded; undefined if it is gone
 */
export async function recordPrompts(db: Db, id: string, prompts: Prompts): Promise<VectorStore | undefined> {
  const { rows } = await sql<VectorStore>`
    UPDATE ${storesOf(db)} AS s
    SET embedding_prompts = CASE WHEN s.embedding_prompts IS NULL AND (s.embedded_by IS NULL OR s.chunk_count = 0)
                                 THEN ${jsonb(prompts)}::jsonb ELSE s.embedding_prompts END
    WHERE s.id = ${id} RETURNING ${selectedStore}`.execute(db.run);
  return rows[0];
}
