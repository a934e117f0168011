import { hash } from "node:crypto";
import type { Caller } from "../words/caller.js";
import { unauthorized } from "../words/errors.js";
import { Secret } from "../words/secret.js";

/** Whose key a model call carries: the proxy checks models, budget and limits by it, and charges it. */
export interface Account {
  /** Names the account in caches and queues: `service`, or the key's SHA-256 in hex, as LiteLLM names keys itself. */
  readonly id: string;
  /** Who reads a refusal of the key: the operator mends the service's, a user their own. */
  readonly owner: "service" | "user";
  readonly key: Secret;
}

/** @throws ApiError 401 for nobody, and for a key that no header can carry */
export type AccountOf = (caller: Caller) => Account;

/** @param serviceKey EMBEDDING__API_KEY or LITELLM_MASTER_KEY; null for a proxy that asks for no key */
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
        throw unauthorized("A model is asked on somebody's account. Send a key: Authorization: Bearer YOUR_KEY.");
    }
  };
}

function accountOfUser(key: Secret): Account {
  const text = key.reveal();
  // fetch would refuse it as a broken connection, which counts against the model of everybody.
  if (!/^[\x21-\x7e]+$/.test(text)) throw unauthorized("Incorrect API key provided.");
  return { id: hash("sha256", text, "hex"), owner: "user", key };
}
