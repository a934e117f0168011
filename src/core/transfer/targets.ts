import { insertKeptStore } from "../../db/tables/keptStores.js";
import { canBeStoreId, derivedStoreId, findStore } from "../../db/tables/stores.js";
import { ownWork } from "../../words/caller.js";
import { invalid } from "../../words/errors.js";
import type { TransferStore } from "../../words/rows.js";
import { type VectorStore, emptyStore, isExpired } from "../../words/store.js";
import { chooseModel } from "../stores/chooseModel.js";
import { dimensionsOf, modelName } from "../stores/model.js";
import { settleNoPrompts } from "../stores/settlePrompts.js";
import { wantedLanguage } from "../stores/searchSettings.js";
import { expired, throwUnknown } from "../stores/unknown.js";
import type { ImportRequest, ImportedInto, TransferDeps } from "./importRequest.js";

/** The stores that rows go to. */
export interface Targets {
  /**
   * Notes a store that the source describes. It is created with these settings, at once if the dimensions are known.
   * @param dimensions of the vector of one of its rows; null if none is known yet
   */
  tell(store: TransferStore, dimensions: number | null): Promise<void>;
  /**
   * The target store for a row, created if it does not exist.
   * @param dimensions of the row's vector; null if it has none
   * @param at the row, for messages
   * @throws ApiError 400 naming the flag, 404
   */
  storeFor(sourceId: string | null, dimensions: number | null, at: string): Promise<VectorStore>;
  /** Creates the described stores that received no rows. */
  finish(): Promise<void>;
  /** The target of a described store; null: there is none. */
  idOf(sourceId: string): string | null;
  /** All stores so far. */
  list(): ImportedInto[];
}

/**
 * @param origin of the source: the ids of new stores are derived from it, so they are the same in every run
 * @param dimensions of all its vectors; null if unknown
 */
export function createTargets(
  deps: TransferDeps,
  request: ImportRequest,
  { origin, dimensions }: { origin: string; dimensions: number | null },
): Targets {
  const described = new Map<string, TransferStore>();
  const stores = new Map<string, { store: VectorStore; made: boolean }>();
  const all = { kind: "all" } as const;

  /** The key of a row's target: one key for all rows if they go to one store. */
  const keyOf = (sourceId: string | null, at: string): string => {
    if (request.store !== null) return "--store";
    if (request.storeName !== null) return "--store-name";
    if (sourceId !== null) return sourceId;
    throw invalid(
      "--store",
      `the rows do not say which vector store they belong to (${at}). Name one with --store ID, create one with ` +
        "--store-name NAME, or leave such rows out with --where",
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
    const given = described.get(key) ?? blank(id, request.storeName ?? key);
    const wanted = ofRow ?? given.embeddingDimensions ?? dimensions;
    const store = { ...given, id, ...(await modelOf(deps, request, given, wanted)) };
    if (request.dryRun) return { store: imagined(store), made: true };
    const inserted = await insertKeptStore(deps.db, store, deps.now());
    return { store: await deps.engine.prepare(inserted, await wantedLanguage(deps, inserted)), made: true };
  };

  const targetOf = async (sourceId: string | null, ofRow: number | null, at: string) => {
    const key = keyOf(sourceId, at);
    const found = stores.get(key) ?? (await resolve(key, sourceId, ofRow));
    stores.set(key, found);
    return { key, ...found };
  };
  const storeFor: Targets["storeFor"] = async (sourceId, ofRow, at) => {
    const { key, store, made } = await targetOf(sourceId, ofRow, at);
    if (ofRow === null || request.dryRun) return store;
    const settled = await settleNoPrompts(deps, store);
    stores.set(key, { store: settled, made });
    return settled;
  };
  return {
    tell: async (store, ofRow) => {
      described.set(store.id, store);
      const known = ofRow ?? store.embeddingDimensions ?? dimensions;
      if (request.store === null && request.storeName === null && known !== null)
        await targetOf(store.id, known, store.id);
    },
    storeFor,
    finish: async () => {
      if (request.store !== null || request.storeName !== null) return;
      for (const id of described.keys()) await targetOf(id, null, id);
    },
    idOf: (sourceId) => stores.get(sourceId)?.store.id ?? null,
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

/** The id of a store to create: the source's id if the API accepts it, else one derived from its name. */
function targetId(deps: TransferDeps, sourceId: string | null, name: readonly string[]): string {
  const usable = /^(vs_[\w-]{1,197}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,19})$/i;
  return sourceId !== null && usable.test(sourceId) && canBeStoreId(deps.db, sourceId)
    ? sourceId
    : derivedStoreId(deps.db, ["store", ...name]);
}

const blank = (id: string, name: string): TransferStore => ({
  id,
  name,
  description: null,
  metadata: null,
  ownerUserId: null,
  ownerTeamId: null,
  ownerKeyId: null,
  expiresAfter: null,
  createdAt: null,
  embeddingModel: null,
  embeddingDimensions: null,
  asksDimensions: false,
  prompts: null,
  search: null,
});

/**
 * The model that made the vectors. The settings' model is assumed only if the dimensions agree. What it was told with
 * the texts is known only of a store that was exported with it.
 * @param dimensions of the vectors; null if none has arrived
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
        "Name the model that made them; searches will embed their queries with it",
    );
  }
  const chosen = await chooseModel(deps, ownWork, { model, dimensions });
  if (chosen.untried !== null) throw chosen.untried;
  const { embeddingModel, embeddingDimensions, asksDimensions } = chosen;
  return { embeddingModel, embeddingDimensions, asksDimensions };
}

/** For a dry run: the store that a real run would create. */
function imagined(store: TransferStore): VectorStore {
  const { id, name, description, embeddingModel, embeddingDimensions, asksDimensions } = store;
  return emptyStore({ id, name, description, embeddingModel, embeddingDimensions, asksDimensions });
}
