import { canBeStoreId, findStore, insertStore, lockStore, touchStore, updateStore } from "../../db/tables/stores.js";
import { type StoreCursor, listStores } from "../../db/tables/storeList.js";
import { type Caller, ownerOf, scopeOf } from "../../words/caller.js";
import { type ApiError, invalid } from "../../words/errors.js";
import { idTimestamp } from "../../words/ids.js";
import { type NewVectorStore, type StoreChanges, type VectorStore, isExpired } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { type DetailedStore, withCounts, withDetails } from "./details.js";
import { type AskedModel, chooseModel } from "./chooseModel.js";
import type { EmbeddingModel } from "./model.js";
import { dropStore } from "./removal.js";
import { wantedLanguage } from "./searchSettings.js";
import { expired, throwUnknown } from "./unknown.js";

/** The use cases of vector stores; imported as `stores`. */

/** A store to create. Where `model` has nulls, `chooseModel` chooses. */
export interface StoreInput extends Omit<NewVectorStore, keyof EmbeddingModel> {
  model: AskedModel;
}

/**
 * @throws ApiError 400 for an unusable model, dimensions or language; 5xx of the proxy when it is asked about the model
 */
export async function create(deps: Deps, caller: Caller, input: StoreInput): Promise<DetailedStore> {
  const { model, ...rest } = input;
  await requireLanguage(deps, input.search.language);
  const { untried, warnings, ...chosen } = await chooseModel(deps, caller, model);
  const store = await insertStore(deps.db, { ...rest, ...chosen }, ownerOf(caller), deps.now());
  const made = await withCounts(deps, await deps.engine.prepare(store, await wantedLanguage(deps, store)));
  const { details } = made;
  const all = [...details.warnings, ...warnings, ...(untried === null ? [] : [untriedWarning(details, untried)])];
  return { ...made, details: { ...details, warnings: all } };
}

const untriedWarning = ({ model, dimensions }: DetailedStore["details"], { message }: ApiError) =>
  `embedding_dimensions ${dimensions} could not be tried with the model '${model}': ${message} If they do not fit, the ` +
  "first text or search will fail.";

async function requireLanguage({ engine }: Deps, language: string | null | undefined): Promise<void> {
  if (language == null) return;
  const problem =
    engine.words === null
      ? `the engine '${engine.name}' has no keyword search`
      : await engine.words.problemWith(language);
  if (problem !== null) throw invalid("language", problem);
}

/** One store within the caller's scope. @throws ApiError 404, or 400 for a malformed id */
export async function find(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  return (await findStore(deps.db, scopeOf(caller), id)) ?? throwUnknown(id);
}

/** One store with all details. @throws as `find` */
export async function describe(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await find(deps, caller, id));
}

export interface PageRequest {
  limit: number;
  order: "asc" | "desc";
  after: string | null;
  before: string | null;
}

/**
 * A page of stores in the order of creation: of all, or of those with exactly this name. `after` and `before` are ids
 * of stores. Ids that the service made contain their creation time, so they work even after the store was deleted.
 */
export async function list(
  deps: Deps,
  caller: Caller,
  page: PageRequest & { name?: string | null },
): Promise<{ stores: DetailedStore[]; hasMore: boolean }> {
  const { limit, order, name = null } = page;
  const after = await cursorAt(deps, caller, page.after, "after");
  const before = await cursorAt(deps, caller, page.before, "before");
  const { stores, hasMore } = await listStores(deps.db, scopeOf(caller), { limit, order, name, after, before });
  return { stores: await withDetails(deps, stores), hasMore };
}

async function cursorAt(deps: Deps, caller: Caller, id: string | null, param: string): Promise<StoreCursor | null> {
  if (id === null) return null;
  const madeAt = idTimestamp(id);
  const usable = canBeStoreId(deps.db, id) && madeAt !== null;
  if (!usable && (await findStore(deps.db, scopeOf(caller), id)) === undefined) throwUnknown(id, param);
  return { id, madeAt };
}

/** @throws ApiError 400 for an unknown language, 404 */
export async function update(deps: Deps, caller: Caller, id: string, changes: StoreChanges): Promise<DetailedStore> {
  await requireLanguage(deps, changes.search?.language);
  const store = (await updateStore(deps.db, scopeOf(caller), id, changes, deps.now())) ?? throwUnknown(id);
  deps.recentStores.delete(id);
  return withCounts(deps, await deps.engine.prepare(store, await wantedLanguage(deps, store)));
}

/** Starts checking and rebuilding a store's indexes in the background. @throws ApiError 404 */
export async function reindex(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await deps.engine.reindex(await find(deps, caller, id)));
}

/** Removes a store and everything in it; see `dropStore`. @throws ApiError 404 */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  deps.recentStores.delete(id);
  await dropStore(deps, async (tx) => (await lockStore(tx, scopeOf(caller), id)) ?? throwUnknown(id));
  deps.recentStores.delete(id);
}

/** The API shows times in whole seconds, so recording a store's use once a second is enough. */
const markEveryMs = 1000;

/** Records that a store is used, and refuses an expired store. @throws ApiError 404, 400 `vector_store_expired` */
export async function use(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  return (await touch(deps, caller, id)) ?? findUsable(deps, caller, id);
}

/**
 * A store that has not expired, without recording a use: for requests that may still be refused. Once nothing can
 * refuse the request, call `markUsed`.
 * @throws ApiError 404, 400 `vector_store_expired`
 */
export async function findUsable(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  const store = await find(deps, caller, id);
  if (isExpired(store, deps.now())) throw expired(id);
  return store;
}

/** Records that a store was used. Does nothing if it was deleted or has expired meanwhile. */
export async function markUsed(deps: Deps, caller: Caller, id: string): Promise<void> {
  await touch(deps, caller, id);
}

/** @returns undefined if the last use was just recorded, or the store is unknown, expired or locked */
async function touch(deps: Deps, caller: Caller, id: string): Promise<VectorStore | undefined> {
  const now = deps.now();
  if (recent(deps, caller, id, now) !== undefined) return undefined;
  const store = await touchStore(deps.db, scopeOf(caller), id, now);
  if (store !== undefined) {
    const scopes = deps.recentStores.get(id) ?? new Map();
    deps.recentStores.set(id, scopes.set(scopeName(caller), { store, at: now }));
  }
  return store;
}

/**
 * As `use`, for a search: for a second after a use, the remembered store is used, which saves the search a statement.
 * If it is out of date, the engine notices (`gone`). A store that another process has deleted has no chunks, so a
 * search that finds nothing must read the store again.
 */
export async function useForSearch(deps: Deps, caller: Caller, id: string): Promise<VectorStore> {
  const now = deps.now();
  const known = recent(deps, caller, id, now);
  return known === undefined || isExpired(known, now) ? use(deps, caller, id) : known;
}

/** Updates a remembered store after a change, for the searches of the same second. */
export function remember(deps: Pick<Deps, "recentStores">, store: VectorStore): void {
  const scopes = deps.recentStores.get(store.id);
  for (const [scope, known] of scopes ?? []) scopes?.set(scope, { ...known, store });
}

/** Drops what is remembered of a store, after a change that `remember` cannot describe. */
export function forget(deps: Deps, id: string): void {
  deps.recentStores.delete(id);
}

const scopeName = (caller: Caller) => JSON.stringify(scopeOf(caller));

function recent(deps: Deps, caller: Caller, id: string, now: number): VectorStore | undefined {
  const found = deps.recentStores.get(id)?.get(scopeName(caller));
  return found !== undefined && Math.abs(now - found.at) < markEveryMs ? found.store : undefined;
}
