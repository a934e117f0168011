import { recordPrompts } from "../../db/tables/stores.js";
import type { Caller } from "../../words/caller.js";
import { type Prompts, noPrompts } from "../../words/prompts.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { remember } from "./stores.js";

/**
 * Whether nobody has said yet what the model wants with a store's texts: the store was made without a proxy, or while
 * it could not be asked, and none of its rows was embedded here. Rows with their sender's own vectors say nothing.
 */
const isOpen = ({ prompts, embeddedBy, chunkCount }: VectorStore): boolean =>
  prompts === null && (embeddedBy === null || chunkCount === 0);

/**
 * Records what the model wants with its texts for a store that was made when nobody could say so. Must be called before
 * the store's first text is embedded; later it would divide the store's vectors.
 * @returns the store, with its prompts if the proxy could be asked
 */
export async function settlePrompts(
  deps: Pick<Deps, "db" | "litellm" | "recentStores">,
  caller: Caller,
  store: VectorStore,
): Promise<VectorStore> {
  // It is the last chance: a failure of a moment ago must not decide.
  const prompts = await learnPrompts(deps, caller, store, true);
  const settled = prompts === null ? undefined : await recordPrompts(deps.db, store.id, prompts);
  if (settled === undefined) return store;
  remember(deps, settled);
  return settled;
}

/** The store with what its first text would settle, for a query before it. Nothing is recorded. */
export async function withPrompts(
  deps: Pick<Deps, "litellm">,
  caller: Caller,
  store: VectorStore,
): Promise<VectorStore> {
  const prompts = await learnPrompts(deps, caller, store, false);
  return prompts === null ? store : { ...store, prompts };
}

/**
 * Records that the vectors which an import brings into an empty store were made without prompts, as all are that their
 * source says nothing of.
 */
export async function settleNoPrompts(deps: Pick<Deps, "db">, store: VectorStore): Promise<VectorStore> {
  if (!isOpen(store) || store.chunkCount > 0) return store;
  return (await recordPrompts(deps.db, store.id, noPrompts)) ?? store;
}

async function learnPrompts(
  { litellm }: Pick<Deps, "litellm">,
  caller: Caller,
  store: VectorStore,
  insist: boolean,
): Promise<Prompts | null> {
  const { model, builtIn } = litellm.embedder;
  if (!isOpen(store) || builtIn) return null;
  const { prompts, learnt } = await litellm.promptsOf(store.embeddingModel ?? model, { caller, insist });
  return learnt ? prompts : null;
}
