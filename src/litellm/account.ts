import type { Caller, Meter, Payer, User } from "../words/caller.js";
import { unauthorized } from "../words/errors.js";
import { Secret } from "../words/secret.js";

/** Whose key a model call carries: the proxy checks models, budget and limits by it, and charges it. */
export interface Account {
  /** Names the account in caches and queues: `service`, or the key's SHA-256 in hex, as LiteLLM names keys itself. */
  readonly id: string;
  /** Who can fix a refusal of the key: the operator the service's key, users their own. */
  readonly owner: "service" | "user";
  readonly key: Secret;
  /** Gets the tokens of each request. */
  readonly meter?: Meter | undefined;
  /** Further headers of each request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws ApiError 401 for `nobody`, and for a key that cannot be sent in a header */
export type AccountOf = (caller: Caller) => Account;

/** @param serviceKey EMBEDDING__API_KEY or LITELLM_MASTER_KEY; null if the proxy needs no key */
export function createAccounts(serviceKey: string | null): AccountOf {
  const service: Account = { id: "service", owner: "service", key: new Secret(serviceKey ?? "none"), headers: {} };
  return (caller) => {
    const { meter } = caller;
    switch (caller.kind) {
      case "server":
        return { ...(caller.onBehalfOf === undefined ? service : named(service, caller.onBehalfOf)), meter };
      case "admin":
        return { ...(caller.user === null ? service : accountOfUser(caller.user)), meter };
      case "user":
        return { ...accountOfUser(caller), meter };
      case "nobody":
        throw unauthorized("Model calls need a key. Send one: Authorization: Bearer YOUR_KEY.");
    }
  };
}

function accountOfUser({ key, keyHash }: User): Account {
  // fetch would report such a key as a connection failure, which would count against the model for everybody.
  if (!/^[\x21-\x7e]+$/.test(key.reveal())) throw unauthorized("Incorrect API key provided.");
  return { id: keyHash, owner: "user", key, headers: {} };
}

/**
 * The service's account, with the names of whom it works for in LiteLLM's spend log. `user` in the body would only make
 * a customer of theirs (observed with 1.106.2).
 */
function named(service: Account, { userId, teamId, keyHash }: Payer): Account {
  const metadata = JSON.stringify({ user_id: userId, team_id: teamId, key_hash: keyHash });
  const ascii = metadata.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return {
    ...service,
    id: `service for ${metadata}`,
    headers: { "x-litellm-tags": "vector-store", "x-litellm-spend-logs-metadata": ascii },
  };
}
