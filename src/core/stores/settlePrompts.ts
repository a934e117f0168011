import { recordPrompts } from "../../db/tables/stores.js";
import type { Caller } from "../../words/caller.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { remember } from "./stores.js";

/**
 * Records what the settings' model wants with its texts for an empty store that was made without a proxy, when nobody
 * could say so. Must be called before the store's first text is embedded; later it would divide the store's vectors.
 * @returns the store, with its prompts if the proxy could be asked
 */
export async function settlePrompts(
  deps: Pick<Deps, "db" | "litellm" | "recentStores">,
  caller: Caller,
  store: VectorStore,
): Promise<VectorStore> {
  const isOpen = store.prompts === null && store.embeddingModel === null && store.embeddedBy === null;
  const { model, builtIn } = deps.litellm.embedder;
  if (!isOpen || store.chunkCount > 0 || builtIn) return store;
  const { prompts, learnt } = await deps.litellm.promptsOf(model, { caller });
  const settled = learnt ? await recordPrompts(deps.db, store.id, prompts) : undefined;
  if (settled === undefined) return store;
  remember(deps, settled);
  return settled;
}
