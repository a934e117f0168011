import { listLeftBehind, passThingsOn } from "../../db/tables/keyRotation.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";

/**
 * Gives what rotated LiteLLM keys own nevertheless to the keys in their place. Limits are left as they are: an
 * administrator may have removed the new key's since.
 */
export async function passOnLeft(deps: Deps): Promise<void> {
  for (const { from, to } of await listLeftBehind(deps.db)) {
    const { storeIds } = await deps.db.transaction((tx) => passThingsOn(tx, from, to));
    for (const id of storeIds) stores.forget(deps, id);
  }
}
