import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { type AttachInput, briefly, enqueue } from "../files/storeFiles.js";
import { type DetailedStore, type StoreInput, create, retrieve } from "./stores.js";

/**
 * A new store with files attached, and a moment waited for them. Files that nobody knows are listed as failed, as OpenAI does.
 * @throws ApiError as `create`
 */
export async function createStore(
  deps: Deps,
  caller: Caller,
  input: StoreInput,
  files: readonly AttachInput[],
): Promise<DetailedStore> {
  const store = await create(deps, caller, input);
  if (files.length === 0) return store;
  await enqueue(deps, caller, store, files, { batchId: null, replaces: false });
  await briefly(
    deps,
    files.map(({ fileId }) => ({ vectorStoreId: store.id, fileId })),
  );
  return retrieve(deps, caller, store.id);
}
