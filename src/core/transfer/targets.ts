import { insertKeptStore } from "../../db/tables/keptStores.js";
import { type VectorStore, canHold, findStore } from "../../db/tables/stores.js";
import { isLanguage } from "../../engines/pgvector/keywords/keywords.js";
import { ownWork } from "../../words/caller.js";
import { invalid } from "../../words/errors.js";
import type { TransferStore } from "../../words/rows.js";
import { chooseModel, dimensionsOf, modelName } from "../stores/model.js";
import { resolveSettings } from "../stores/searchSettings.js";
import { expired, isExpired, throwUnknown } from "../stores/stores.js";
import type { ImportRequest, ImportedInto, TransferDeps } from "./importRequest.js";
import { madeId } from "./rowIds.js";

/** Where rows go. */
export interface Targets {
  /**
   * The source tells of a store: it is made with its settings, at once if it is known how long its vectors are.
   * @param dimensions of one of its rows; null where none is at hand
   */
  tell(store: TransferStore, dimensions: number | null): Promise<void>;
  /**
   * The store for a row of the source's store, which is made when it is not there.
   * @param dimensions of the row's vector; null for one without
   * @throws ApiError 400 naming the flag, 404
   */
  storeFor(sourceId: string | null, dimensions: number | null): Promise<VectorStore>;
  /** Makes the stores that the source told of and that no row went to. */
  finish(): Promise<void>;
  /** All stores so far. */
  list(): ImportedInto[];
}

/**
 * @param origin of the source: a store that is made for it has the same id in every run, however its rows are read
 * @param dimensions of all its vectors, where they are known
 */
export function createTargets(
  deps: TransferDeps,
  request: ImportRequest,
  { origin, dimensions }: { origin: string; dimensions: number | null },
): Targets {
  const told = new Map<string, TransferStore>();
  const stores = new Map<string, { store: VectorStore; made: boolean }>();
  const all = { kind: "all" } as const;

  /** The one key of all rows when they go to one store. */
  const keyOf = (sourceId: string | null): string => {
    if (request.store !== null) return "--store";
    if (request.storeName !== null) return "--store-name";
    if (sourceId !== null) return sourceId;
    throw invalid(
      "--store",
      "the rows do not say which vector store they belong to. Name one with --store ID, or have one made with --store-name NAME",
    );
  };

  const resolve = async (key: string, sourceId: string | null, ofRow: number | null) => {
    if (request.store !== null) {
      const store = (await findStore(deps.db, all, request.store)) ?? throwUnknown(request.store, "--store");
      if (isExpired(store, deps.now())) throw expired(store.id);
      return { store, made: false };
    }
    const id = targetId(deps, request.storeName === null ? sourceId : null, [origin, request.storeName ?? key]);
    const existing = await findStore(deps.db, all, id);
    if (existing !== undefined) {
      if (isExpired(existing, deps.now())) throw expired(id);
      return { store: existing, made: false };
    }
    const given = told.get(key) ?? blank(id, request.storeName ?? key);
    const wanted = ofRow ?? given.embeddingDimensions ?? dimensions;
    const store = { ...given, id, ...(await modelOf(deps, request, given, wanted)) };
    const keywords = await keywordsOf(deps, store);
    if (request.dryRun) return { store: imagined(store), made: true };
    await insertKeptStore(deps.db, store, keywords, deps.now());
    const inserted = (await findStore(deps.db, all, id)) ?? throwUnknown(id);
    return { store: inserted, made: true };
  };

  const storeFor: Targets["storeFor"] = async (sourceId, ofRow) => {
    const key = keyOf(sourceId);
    const found = stores.get(key) ?? (await resolve(key, sourceId, ofRow));
    stores.set(key, found);
    return found.store;
  };
  return {
    tell: async (store, ofRow) => {
      told.set(store.id, store);
      const known = ofRow ?? store.embeddingDimensions ?? dimensions;
      if (request.store === null && request.storeName === null && known !== null) await storeFor(store.id, known);
    },
    storeFor,
    finish: async () => {
      if (request.store !== null || request.storeName !== null) return;
      for (const id of told.keys()) await storeFor(id, null);
    },
    list: () =>
      [...stores.values()].map(({ store, made }) => ({
        id: store.id,
        name: store.name,
        made,
        dimensions: dimensionsOf(deps, store),
        model: modelName(deps, store),
      })),
  };
}

/** The id of a store that is to be made: the source's where it is such as the API takes; what it calls it otherwise is its name. */
function targetId(deps: TransferDeps, sourceId: string | null, name: readonly string[]): string {
  const { idType } = deps.db.layout.vectorStores;
  const usable = /^(vs_[\w-]{1,197}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,19})$/i;
  return sourceId !== null && usable.test(sourceId) && canHold(idType, sourceId)
    ? sourceId
    : madeId(idType, "vs_", ["store", ...name]);
}

const blank = (id: string, name: string): TransferStore => ({
  id,
  name,
  description: null,
  metadata: null,
  ownerUserId: null,
  expiresAfter: null,
  createdAt: null,
  embeddingModel: null,
  embeddingDimensions: null,
  asksDimensions: false,
  search: null,
});

/**
 * What made the vectors. Only where they are as long as those of the settings' model it may be taken to be that one.
 * @param dimensions of the vectors; null where none has come
 */
async function modelOf(
  deps: TransferDeps,
  request: ImportRequest,
  given: TransferStore,
  dimensions: number | null,
): Promise<Pick<TransferStore, "embeddingModel" | "embeddingDimensions" | "asksDimensions">> {
  const model = request.embeddingModel ?? given.embeddingModel;
  const { dimensions: usual, model: usualModel } = deps.config.embedding;
  if (model === null && dimensions !== null && dimensions !== usual) {
    throw invalid(
      "--embedding-model",
      `the vectors have ${dimensions} dimensions, and those of ${usualModel} (EMBEDDING__MODEL) have ${usual} (EMBEDDING__DIMENSIONS). ` +
        "Name the model that made them, which searches will ask for the vectors of their queries",
    );
  }
  return chooseModel(deps, ownWork, { model, dimensions });
}

/** The language in which a store that is searched by keywords has its words made, from its first row on. */
async function keywordsOf(deps: TransferDeps, store: TransferStore): Promise<string | null> {
  const parsed = (text: string | null) => (text === null ? {} : (JSON.parse(text) as object));
  const { mode, language } = resolveSettings({ search: parsed(store.search), metadata: parsed(store.metadata) });
  return mode !== "vector" && (await isLanguage(deps.db, language)) ? language : null;
}

/** A store that a real run would make. */
function imagined(store: TransferStore): VectorStore {
  return {
    ...store,
    expiresAfter: null,
    createdAt: 0,
    metadata: {},
    lastActiveAt: null,
    expiresAt: null,
    chunkCount: 0,
    contentBytes: 0,
    search: {},
    vectorsComplete: true,
    vectorsTable: null,
    vectorsIndexed: false,
    vectorsBuilt: 0,
    vectorsNext: null,
    keywordsLanguage: null,
    keywordsComplete: false,
    reindexRequested: false,
    hiddenFiles: [],
  };
}
