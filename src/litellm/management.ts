import type { Management } from "./managementContract.js";
import type { MasterCalls } from "./masterCalls.js";
import { createPeople } from "./people.js";
import { createVirtualKeys } from "./virtualKeys.js";

/** LiteLLM's users, teams and keys. */
export const createManagement = (calls: MasterCalls): Management => ({
  ...createPeople(calls),
  keys: createVirtualKeys(calls),
});
