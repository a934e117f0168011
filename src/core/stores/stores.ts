import { canBeStoreId, findStore, insertStore, lockStore, touchStore, updateStore } from "../../db/tables/stores.js";
import { type StoreCursor, listStores } from "../../db/tables/storeList.js";
import type { Db } from "../../db/database.js";
import { type Caller, type Scope, type StorePermission, ownerOf, scopeOf } from "../../words/caller.js";
import { type ApiError, forbidden, invalid } from "../../words/errors.js";
import { idTimestamp } from "../../words/ids.js";
import {
  type NewVectorStore,
  type StoreChanges,
  type VectorStore,
  isExpired,
  ownerOfStore,
} from "../../words/store.js";
import { recordOnOthers } from "./onOthers.js";
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
 * @throws ApiError 400 for an unusable model, dimensions or language; 403 for a key that is limited to some stores; 5xx
 * of the proxy when it is asked about the model
 */
export async function create(deps: Deps, caller: Caller, input: StoreInput): Promise<DetailedStore> {
  const { model, ...rest } = input;
  requireCreator(caller);
  await requireLanguage(deps, input.search.language);
  await deps.limiter.requireStore(ownerOf(caller));
  const { untried, warnings, ...chosen } = await chooseModel(deps, caller, model);
  const store = await insertStore(deps.db, { ...rest, ...chosen }, ownerOf(caller), deps.now());
  const made = await withCounts(deps, await deps.engine.prepare(store, await wantedLanguage(deps, store)));
  const { details } = made;
  const all = [...details.warnings, ...warnings, ...(untried === null ? [] : [untriedWarning(details, untried)])];
  return { ...made, details: { ...details, warnings: all } };
}

/** A key that may use only the stores of a list could not use a new one. @throws ApiError 403 */
function requireCreator(caller: Caller): void {
  if ((caller.kind === "server" || caller.kind === "user") && caller.onlyStores !== null) {
    const by = caller.kind === "user" ? "LiteLLM (object_permission.vector_stores)" : "its list of vector stores";
    throw forbidden(`This key is limited to some vector stores by ${by}, so it may not create others.`);
  }
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

/**
 * One store within the caller's scope.
 * @throws ApiError 404, or 400 for a malformed id; 403 if the caller may read the store but not do what it needs; 429
 */
export async function find(deps: Deps, caller: Caller, id: string, need: StorePermission): Promise<VectorStore> {
  const store = (await findStore(deps.db, scopeOf(caller, need), id)) ?? (await refuse(deps.db, caller, id, need));
  await admit(deps, caller, store);
  return store;
}

/** Every use case of a store notes it here once it is found: usage counts no other id. */
function note(caller: Caller, store: VectorStore): VectorStore {
  if (caller.meter !== undefined) caller.meter.found ??= store.id;
  return store;
}

/** @throws ApiError 429 */
async function admit(deps: Deps, caller: Caller, store: VectorStore): Promise<void> {
  await deps.limiter.admitTo(caller, note(caller, store).id);
}

/** The same, locked until the transaction ends. @throws as `find` */
export async function lock(tx: Db, caller: Caller, id: string, need: StorePermission): Promise<VectorStore> {
  return note(caller, (await lockStore(tx, scopeOf(caller, need), id)) ?? (await refuse(tx, caller, id, need)));
}

/** Says that a store is unknown, unless the caller may read it and therefore knows that it is there. */
async function refuse(db: Db, caller: Caller, id: string, need: StorePermission): Promise<never> {
  const readable = need === "read" ? undefined : await findStore(db, scopeOf(caller, "read"), id);
  if (readable !== undefined) {
    note(caller, readable);
    throw forbidden(`You may read the vector store '${id}', but this needs the permission '${need}' on it.`);
  }
  throwUnknown(id);
}

/** One store with all details. @throws as `find` */
export async function describe(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await find(deps, caller, id, "read"));
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
  const { stores, hasMore } = await listStores(deps.db, scopeOf(caller, "read"), { limit, order, name, after, before });
  return { stores: await withDetails(deps, stores), hasMore };
}

async function cursorAt(deps: Deps, caller: Caller, id: string | null, param: string): Promise<StoreCursor | null> {
  if (id === null) return null;
  const madeAt = idTimestamp(id);
  const usable = canBeStoreId(deps.db, id) && madeAt !== null;
  if (!usable && (await findStore(deps.db, scopeOf(caller, "read"), id)) === undefined) throwUnknown(id, param);
  return { id, madeAt };
}

/** @throws ApiError 400 for an unknown language, 403, 404 */
export async function update(deps: Deps, caller: Caller, id: string, changes: StoreChanges): Promise<DetailedStore> {
  await requireLanguage(deps, changes.search?.language);
  const scope = scopeOf(caller, "admin");
  const now = deps.now();
  const store = await deps.db.transaction(async (tx) => {
    const changed = (await updateStore(tx, scope, id, changes, now)) ?? (await refuse(tx, caller, id, "admin"));
    const { name, ...others } = changes;
    const fields = Object.entries<unknown>(others).flatMap(([field, value]) => (value === undefined ? [] : field));
    const details = { ...(name !== undefined && { name }), ...(fields.length > 0 && { fields }) };
    await recordOnOthers(tx, caller, now, ownerOfStore(changed), {
      action: "store.update",
      target: changed.id,
      details,
    });
    return changed;
  });
  note(caller, store);
  deps.recentStores.delete(store.id);
  return withCounts(deps, await deps.engine.prepare(store, await wantedLanguage(deps, store)));
}

/** Starts checking and rebuilding a store's indexes in the background. @throws ApiError 403, 404 */
export async function reindex(deps: Deps, caller: Caller, id: string): Promise<DetailedStore> {
  return withCounts(deps, await deps.engine.reindex(await find(deps, caller, id, "admin")));
}

/** Removes a store and everything in it; see `dropStore`. @throws ApiError 403, 404 */
export async function remove(deps: Deps, caller: Caller, id: string): Promise<void> {
  deps.recentStores.delete(id);
  await dropStore(
    deps,
    (tx) => lock(tx, caller, id, "admin"),
    (tx, store) => {
      const details = { name: store.name, rows: store.chunkCount };
      const act = { action: "store.delete", target: store.id, details };
      return recordOnOthers(tx, caller, deps.now(), ownerOfStore(store), act);
    },
  );
  deps.recentStores.delete(id);
}

/** The API shows times in whole seconds, so recording a store's use once a second is enough. */
const markEveryMs = 1000;

/** Records that a store is used, and refuses an expired store. @throws as `find`, 400 `vector_store_expired` */
export async function use(deps: Deps, caller: Caller, id: string, need: StorePermission): Promise<VectorStore> {
  return (await touch(deps, caller, id, need)) ?? findUsable(deps, caller, id, need);
}

/**
 * A store that has not expired, without recording a use: for requests that may still be refused. Once nothing can
 * refuse the request, call `markUsed`.
 * @throws as `find`, 400 `vector_store_expired`
 */
export async function findUsable(deps: Deps, caller: Caller, id: string, need: StorePermission): Promise<VectorStore> {
  const store = await find(deps, caller, id, need);
  if (isExpired(store, deps.now())) throw expired(id);
  return store;
}

/** Records that a store was used. Does nothing if it was deleted or has expired meanwhile. */
export async function markUsed(deps: Deps, caller: Caller, id: string): Promise<void> {
  await touch(deps, caller, id, "read");
}

/** @returns undefined if the last use was just recorded, or the store is unknown, expired or locked */
async function touch(deps: Deps, caller: Caller, id: string, need: StorePermission): Promise<VectorStore | undefined> {
  const now = deps.now();
  const scope = scopeOf(caller, need);
  if (recent(deps, scope, id, now) !== undefined) return undefined;
  const store = await touchStore(deps.db, scope, id, now);
  if (store !== undefined) {
    await admit(deps, caller, store);
    const scopes = deps.recentStores.get(store.id) ?? new Map();
    deps.recentStores.set(store.id, scopes.set(nameOf(scope), { store, at: now }));
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
  const known = recent(deps, scopeOf(caller, "read"), id, now);
  if (known === undefined || isExpired(known, now)) return use(deps, caller, id, "read");
  await admit(deps, caller, known);
  return known;
}

/** Updates a remembered store after a change, for the searches of the same second. */
export function remember(deps: Pick<Deps, "recentStores">, store: VectorStore): void {
  const scopes = deps.recentStores.get(store.id);
  for (const [scope, known] of scopes ?? []) scopes?.set(scope, { ...known, store });
}

/** Drops what is remembered of a store, after a change that `remember` cannot describe. */
export function forget(deps: Pick<Deps, "recentStores">, id: string): void {
  deps.recentStores.delete(id);
}

const nameOf = (scope: Scope) => JSON.stringify(scope);

function recent(deps: Deps, scope: Scope, id: string, now: number): VectorStore | undefined {
  const found = deps.recentStores.get(id)?.get(nameOf(scope));
  return found !== undefined && Math.abs(now - found.at) < markEveryMs ? found.store : undefined;
}
