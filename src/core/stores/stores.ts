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
} from "../../db/tables/stores.js";
import { deleteAllChunks } from "../../engines/pgvector/chunks.js";
import { isLanguage } from "../../engines/pgvector/keywords/keywords.js";
import { ApiError, invalid, notFound } from "../../words/errors.js";
import { idTimestamp } from "../../words/ids.js";
import { type Caller, ownerOf, scopeOf } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type EmbeddingModel, chooseModel } from "./model.js";
import { requestKeywords, requestReindex } from "../upkeep/indexState.js";
import { resolveSettings } from "./searchSettings.js";
import { type DetailedStore, withCounts, withDetails } from "./details.js";

export type { DetailedStore, StoreChanges, VectorStore };

/** A store as it is asked for. What is null in `model` is chosen by `chooseModel`. */
export interface StoreInput extends Omit<NewVectorStore, keyof EmbeddingModel> {
  model: { model: string | null; dimensions: number | null };
}

/** @throws ApiError 400 for a model, dimensions or a language that cannot be; 5xx of the proxy when it is asked about the model. */
export async function create(deps: Deps, caller: Caller, input: StoreInput): Promise<DetailedStore> {
  const { model, ...rest } = input;
  await requireLanguage(deps, input.search.language);
  const store = { ...rest, ...(await chooseModel(deps, caller, model)) };
  return withCounts(deps, await followSettings(deps, await insertStore(deps.db, store, ownerOf(caller), deps.now())));
}

async function requireLanguage(deps: Deps, language: string | null | undefined): Promise<void> {
  if (language == null || (await isLanguage(deps.db, language))) return;
  throw invalid(
    "language",
    `'${language.slice(0, 64)}' is no text search configuration of this database; 'simple' fits every language, and 'english', 'german' and others also compare inflected words`,
  );
}

/** A store that is to be searched by keywords has them made from its first row on. */
async function followSettings(deps: Deps, store: VectorStore): Promise<VectorStore> {
  const { mode, language } = resolveSettings(store);
  if (mode === "vector" || store.keywordsLanguage === language || !(await isLanguage(deps.db, language))) return store;
  await requestKeywords(deps, store.id, language);
  return { ...store, keywordsLanguage: language, keywordsComplete: store.chunkCount === 0 };
}

/** One store as its caller may see it. @throws ApiError 404 (or 400 for an id no store can have). */
export async function get(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  return (await findStore(deps.db, scopeOf(caller), id)) ?? throwUnknown(id);
}

/** The same with all that can be said of it. */
export async function retrieve(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await get(deps, caller, id));
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
  const { stores, hasMore } = await listStores(deps.db, scopeOf(caller), {
    limit: page.limit,
    order: page.order,
    after: await cursor(page.after, "after"),
    before: await cursor(page.before, "before"),
  });
  return { stores: await withDetails(deps, stores), hasMore };
}

async function resolveCursor(deps: Deps, caller: Caller, id: string, param: string): Promise<Cursor> {
  const madeAt = idTimestamp(id);
  const usable = canHold(deps.db.layout.vectorStores.idType, id) && madeAt !== null;
  if (!usable && (await findStore(deps.db, scopeOf(caller), id)) === undefined) throwUnknown(id, param);
  return { id, madeAt };
}

/** @throws ApiError 400 for an unknown language, 404 */
export async function update(deps: Deps, caller: Caller, id: string, changes: StoreChanges): Promise<DetailedStore> {
  await requireLanguage(deps, changes.search?.language);
  const store = (await updateStore(deps.db, scopeOf(caller), id, changes, deps.now())) ?? throwUnknown(id);
  deps.recentStores.delete(id);
  return withCounts(deps, await followSettings(deps, store));
}

/** Has a store's indexes checked and built anew, in the background. @throws ApiError 404 */
export async function reindex(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await requestReindex(deps, await get(deps, caller, id)));
}

/** Removes a store with everything in it, or nothing. */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  deps.recentStores.delete(id);
  await deps.db.transaction(async (tx) => {
    const store = (await lockStore(tx, scopeOf(caller), id)) ?? throwUnknown(id);
    await deleteAllChunks(tx, store);
    await deleteStore(tx, scopeOf(caller), id);
  });
  deps.recentStores.delete(id);
}

/** Times are whole seconds in the API, so marking a store as used once a second says all there is to say. */
const markEveryMs = 1000;

/**
 * A store about to be written to: marks it as used and refuses an expired one.
 * @throws ApiError 404, 400 `vector_store_expired`.
 */
export async function use(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  const now = deps.now();
  if (recent(deps, caller, id, now) === undefined) {
    const store = await touchStore(deps.db, scopeOf(caller), id, now);
    if (store !== undefined) {
      deps.recentStores.set(id, { store, scope: scopeName(caller), at: now });
      return store;
    }
  }
  const store = await get(deps, caller, id);
  if (isExpired(store, now)) throw expired(id);
  return store;
}

/**
 * As `use`, for a search: within the second after a use, what is known of the store is believed, which saves a search its second statement.
 * The search itself notices (`StoreChanged`) when it no longer holds; and a store that another process has deleted since has no rows, so
 * who finds nothing asks again.
 */
export async function useForSearch(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  const now = deps.now();
  const known = recent(deps, caller, id, now);
  return known === undefined || isExpired(known, now) ? use(deps, caller, id) : known;
}

/** What an insertion made of a store, for the searches of the same second. */
export function updateRecent(deps: Deps, store: VectorStore): void {
  const known = deps.recentStores.get(store.id);
  if (known !== undefined) deps.recentStores.set(store.id, { ...known, store });
}

const scopeName = (caller: Caller) => JSON.stringify(scopeOf(caller));

function recent(deps: Deps, caller: Caller, id: string, now: number): VectorStore | undefined {
  const found = deps.recentStores.get(id);
  const usable = found?.scope === scopeName(caller) && Math.abs(now - found.at) < markEveryMs;
  return usable ? found.store : undefined;
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
        const store = await lockStore(tx, { kind: "all" }, id);
        if (store?.expiresAt == null || store.expiresAt >= moment) return false;
        await deleteAllChunks(tx, store);
        return deleteStore(tx, { kind: "all" }, id);
      });
      if (gone) deps.recentStores.delete(id);
      if (gone) swept += 1;
    }
    if (ids.length < 100) return swept;
  }
}
