import { hash } from "node:crypto";
import type { Caller } from "../words/caller.js";
import { unauthorized } from "../words/errors.js";
import { Secret } from "../words/secret.js";

/** Whose key a model call carries: the proxy checks models, budget and limits by it, and charges it. */
export interface Account {
  /** Names the account in caches and queues: `service`, or the key's SHA-256 in hex, as LiteLLM names keys itself. */
  readonly id: string;
  /** Who can fix a refusal of the key: the operator the service's key, users their own. */
  readonly owner: "service" | "user";
  readonly key: Secret;
}

/** @throws ApiError 401 for `nobody`, and for a key that cannot be sent in a header */
export type AccountOf = (caller: Caller) => Account;

/** @param serviceKey EMBEDDING__API_KEY or LITELLM_MASTER_KEY; null if the proxy needs no key */
export function createAccounts(serviceKey: string | null): AccountOf {
  const service: Account = { id: "service", owner: "service", key: new Secret(serviceKey ?? "none") };
  return (caller) => {
    switch (caller.kind) {
      case "server":
      case "admin":
        return service;
      case "user":
        return accountOfUser(caller.key);
      case "nobody":
        throw unauthorized("Model calls need a key. Send one: Authorization: Bearer YOUR_KEY.");
    }
  };
}

function accountOfUser(key: Secret): Account {
  const text = key.reveal();
  // fetch would report such a key as a connection failure, which would count against the model for everybody.
  if (!/^[\x21-\x7e]+$/.test(text)) throw unauthorized("Incorrect API key provided.");
  return { id: hash("sha256", text, "hex"), owner: "user", key };
}
