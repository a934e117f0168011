import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import type { DetailedStore } from "../stores/details.js";
import * as stores from "../stores/stores.js";
import { type AttachInput, enqueue } from "./attach.js";
import { briefly } from "./until.js";

/**
 * Creates a store with files attached, and waits up to 2 s for them. Unknown files are listed as failed, as OpenAI
 * does.
 * @throws ApiError as `stores.create`
 */
export async function createStore(
  deps: Deps,
  caller: Caller,
  input: stores.StoreInput,
  files: readonly AttachInput[],
): Promise<DetailedStore> {
  const store = await stores.create(deps, caller, input);
  if (files.length === 0) return store;
  await briefly(deps, await enqueue(deps, caller, store, files, null));
  const current = await stores.describe(deps, caller, store.id);
  return { ...current, details: { ...current.details, warnings: store.details.warnings } };
}
