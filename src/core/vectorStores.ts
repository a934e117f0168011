import {
  type Cursor,
  type NewVectorStore,
  type StoreChanges,
  type VectorStore,
  canHold,
  deleteStore,
  findStore,
  insertStore,
  listExpiredBefore,
  listStores,
  lockStore,
  touchStore,
  updateStore,
} from "../db/vectorStores.js";
import { deleteChunks } from "../engines/pgvector/chunks.js";
import { ApiError, notFound } from "../errors.js";
import { idTimestamp } from "../ids.js";
import { type Caller, ownerOf, scopeOf } from "./caller.js";
import type { Deps } from "./deps.js";

export type { NewVectorStore, StoreChanges, VectorStore };

export function create(deps: Deps, caller: Caller, input: NewVectorStore): Promise<VectorStore> {
  return insertStore(deps.db, input, ownerOf(caller), deps.now());
}

/** One store as its caller may see it. @throws ApiError 404 (or 400 for an id no store can have). */
export async function get(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  return (await findStore(deps.db, scopeOf(caller), id)) ?? throwUnknown(id);
}

export interface PageRequest {
  limit: number;
  order: "asc" | "desc";
  after: string | null;
  before: string | null;
}

/** A page of stores, newest first by default. `after` and `before` are ids, also of stores deleted meanwhile if we made the id. */
export async function list(deps: Deps, caller: Caller, page: PageRequest) {
  const cursor = (id: string | null, param: string) => (id === null ? null : resolveCursor(deps, caller, id, param));
  return listStores(deps.db, scopeOf(caller), {
    limit: page.limit,
    order: page.order,
    after: await cursor(page.after, "after"),
    before: await cursor(page.before, "before"),
  });
}

async function resolveCursor(deps: Deps, caller: Caller, id: string, param: string): Promise<Cursor> {
  const madeAt = idTimestamp(id);
  const usable = canHold(deps.db.layout.vectorStores.idType, id) && madeAt !== null;
  if (!usable && (await findStore(deps.db, scopeOf(caller), id)) === undefined) throwUnknown(id, param);
  return { id, madeAt };
}

export async function update(deps: Deps, caller: Caller, id: string, changes: StoreChanges): Promise<VectorStore> {
  return (await updateStore(deps.db, scopeOf(caller), id, changes, deps.now())) ?? throwUnknown(id);
}

/** Removes a store with everything in it, or nothing. */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!(await lockStore(tx, scopeOf(caller), id))) throwUnknown(id);
    await deleteChunks(tx, id, { filter: null, ids: null });
    await deleteStore(tx, scopeOf(caller), id);
  });
}

/** Times are whole seconds in the API, so marking a store as used once a second says all there is to say. */
const markEveryMs = 1000;

/**
 * A store about to be searched or written: marks it as used and refuses an expired one.
 * @throws ApiError 404, 400 `vector_store_expired`.
 */
export async function use(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  const now = deps.now();
  const fresh = Math.abs(now - (deps.lastUsed.get(id) ?? -Infinity)) < markEveryMs;
  if (!fresh) {
    const store = await touchStore(deps.db, scopeOf(caller), id, now);
    if (store !== undefined) {
      deps.lastUsed.set(id, now);
      return store;
    }
  }
  const store = await get(deps, caller, id);
  if (isExpired(store, now)) throw expired(id);
  return store;
}

export function isExpired(store: VectorStore, now: number): boolean {
  return store.expiresAt !== null && store.expiresAt <= now;
}

export const expired = (id: string) =>
  new ApiError(400, `The vector store '${id}' has expired. Update it to bring it back, or create a new one.`, {
    param: "vector_store_id",
    code: "vector_store_expired",
  });

/** An id was looked up and is not there: malformed is 400, as OpenAI's own API answers; well-formed is 404. */
export function throwUnknown(id: string, param = "vector_store_id"): never {
  const shown = id.slice(0, 100);
  const malformed = (expected: string) =>
    new ApiError(400, `Invalid '${param}': '${shown}'. Expected an ID that ${expected}.`, {
      param,
      code: "invalid_value",
    });
  if (!/^[\w-]{1,200}$/.test(id)) {
    throw malformed(
      "contains letters, numbers, underscores, or dashes, but this value contained additional characters",
    );
  }
  const wellFormed =
    id.startsWith("vs_") || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) || /^\d+$/.test(id);
  if (!wellFormed) throw malformed("begins with 'vs_'");
  throw notFound("vector store", shown, param);
}

/** Removes the stores that expired longer ago than EXPIRED_STORE_RETENTION_DAYS. Each goes in a transaction of its own. */
export async function sweepExpired(deps: Deps): Promise<number> {
  const moment = deps.now() - deps.config.expiredStoreRetentionDays * 86_400_000;
  let swept = 0;
  for (;;) {
    const ids = await listExpiredBefore(deps.db, moment, 100);
    for (const id of ids) {
      const gone = await deps.db.transaction(async (tx) => {
        // An update may have brought it back between the list and the lock.
        if (!(await lockStore(tx, { kind: "all" }, id))) return false;
        const store = await findStore(tx, { kind: "all" }, id);
        if (store?.expiresAt == null || store.expiresAt >= moment) return false;
        await deleteChunks(tx, id, { filter: null, ids: null });
        return deleteStore(tx, { kind: "all" }, id);
      });
      if (gone) swept += 1;
    }
    if (ids.length < 100) return swept;
  }
}
