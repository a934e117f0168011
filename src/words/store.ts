import type { Owner } from "./caller.js";
import type { Prompts } from "./prompts.js";

/** A vector store expires this many days after its last use. OpenAI's `expires_after`. */
interface ExpiresAfter {
  anchor: "last_active_at";
  days: number;
}

export const searchModes = ["vector", "keyword", "hybrid"] as const;
export type SearchMode = (typeof searchModes)[number];

/** `exact`: always the true nearest. `high`: 99 of 100 of them. `fast`: the fastest that an index allows. */
export const recalls = ["exact", "high", "fast"] as const;
export type Recall = (typeof recalls)[number];

/** A store's search settings. An absent field leaves the choice to the request or the default. */
export interface SearchSettings {
  mode?: SearchMode | undefined;
  recall?: Recall | undefined;
  /** The language whose word forms keyword search compares, by the engine's name for it: `simple`, `english`. */
  language?: string | undefined;
  /** Weights of the two lists of a hybrid search, each 0…1, not both 0. */
  embeddingWeight?: number | undefined;
  textWeight?: number | undefined;
  /** Whether a rerank model orders the results, and which one. */
  rerank?: boolean | undefined;
  rerankModel?: string | undefined;
  /** Results of a search that does not say how many it wants. */
  limit?: number | undefined;
}

/**
 * What the engine remembers about a store: tables, indexes, progress. Part of the store, so that a search needs no
 * second look-up, but only the engine that wrote it may read it.
 */
type EngineState = Readonly<Record<string, unknown>>;

/** A vector store as recorded. Times are Unix milliseconds. */
export interface VectorStore {
  id: string;
  name: string;
  description: string | null;
  metadata: unknown;
  /** `Owner` in words/caller.ts. */
  ownerUserId: string | null;
  ownerTeamId: string | null;
  ownerKeyId: string | null;
  expiresAfter: ExpiresAfter | null;
  createdAt: number;
  lastActiveAt: number | null;
  expiresAt: number | null;
  /** The number of its chunks, and the bytes of their contents in UTF-8. */
  chunkCount: number;
  contentBytes: number;
  /** Null: the model of the settings, for a store made before stores recorded their model. */
  embeddingModel: string | null;
  /** Null until the first vector, in a store that was adopted empty. */
  embeddingDimensions: number | null;
  /** Whether model calls ask for that many dimensions; otherwise the model has them by default. */
  asksDimensions: boolean;
  /** Null: none, or not said yet; see core/stores/settlePrompts.ts. */
  prompts: Prompts | null;
  /** The model that embedded the first text here; null: none, or a version did that did not record it. */
  embeddedBy: string | null;
  search: SearchSettings;
  engine: EngineState;
}

/** A store to create. */
export interface NewVectorStore {
  name: string;
  description: string | null;
  metadata: Record<string, unknown> | null;
  expiresAfter: ExpiresAfter | null;
  embeddingModel: string | null;
  embeddingDimensions: number;
  asksDimensions: boolean;
  /** Null: to be settled when the first text is embedded. */
  prompts: Prompts | null;
  search: SearchSettings;
}

/** A store without rows that nobody has used yet. @param given what is known of it */
export const emptyStore = (given: Pick<VectorStore, "id"> & Partial<VectorStore>): VectorStore => ({
  name: "",
  description: null,
  metadata: {},
  ownerUserId: null,
  ownerTeamId: null,
  ownerKeyId: null,
  expiresAfter: null,
  createdAt: 0,
  lastActiveAt: null,
  expiresAt: null,
  chunkCount: 0,
  contentBytes: 0,
  embeddingModel: null,
  embeddingDimensions: null,
  asksDimensions: false,
  prompts: null,
  embeddedBy: null,
  search: {},
  engine: {},
  ...given,
});

/** What an update changes. An absent field stays as it is. */
export interface StoreChanges {
  name?: string | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  expiresAfter?: ExpiresAfter | null | undefined;
  /** Of `Prompts`: the only part that concerns no stored vector. */
  queryPrefix?: string | undefined;
  /** Null removes a setting. */
  search?: { [K in keyof SearchSettings]: SearchSettings[K] | null } | undefined;
}

/** Whose a store is. */
export const ownerOfStore = (store: Pick<VectorStore, "ownerUserId" | "ownerTeamId" | "ownerKeyId">): Owner => ({
  userId: store.ownerUserId,
  teamId: store.ownerTeamId,
  keyId: store.ownerKeyId,
});

export const isExpired = ({ expiresAt }: Pick<VectorStore, "expiresAt">, now: number): boolean =>
  expiresAt !== null && expiresAt <= now;
