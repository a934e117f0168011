import type { Caller, Meter, Payer, User } from "../words/caller.js";
import { unauthorized } from "../words/errors.js";
import { Secret } from "../words/secret.js";

/** Whose key a model call carries: the proxy checks models, budget and limits by it, and charges it. */
export interface Account {
  /** Names the account in caches and queues: `service`, or the key's SHA-256 in hex, as LiteLLM names keys itself. */
  readonly id: string;
  /** Who can fix a refusal of the key: the operator the service's key, users their own. */
  readonly owner: "service" | "user";
  readonly key: Secret | StandIn;
  /** Gets the tokens of each request. */
  readonly meter?: Meter | undefined;
  /** Further headers of each request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A key of a payer whose own is not at hand. It is asked for when a request needs it. */
export interface StandIn {
  /** @throws ApiError if LiteLLM makes none */
  readonly get: () => Promise<Secret>;
  /** LiteLLM does not accept it. */
  readonly refused: () => void;
}

/** @throws ApiError 401 for `nobody`, and for a key that cannot be sent in a header */
export type AccountOf = (caller: Caller) => Account;

/**
 * @param serviceKey EMBEDDING__API_KEY or LITELLM_MASTER_KEY; null if the proxy needs no key
 * @param standInFor null: nobody can make such keys, so the service pays for those whose key is not at hand
 */
export function createAccounts(
  serviceKey: string | null,
  standInFor: ((payer: Payer) => StandIn) | null = null,
): AccountOf {
  const service: Account = { id: "service", owner: "service", key: new Secret(serviceKey ?? "none"), headers: {} };
  const accountOfUser = (user: User): Account => {
    if (user.key !== null) return { id: user.keyHash, owner: "user", key: sendable(user.key), headers: {} };
    if (standInFor === null) return named(service, user);
    // Not the id of the own key: that one may have aliases, with which a name means another model.
    return { id: `stand-in for ${user.keyHash}`, owner: "user", key: standInFor(user), headers: {} };
  };
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

/** fetch would report such a key as a connection failure, which would count against the model for everybody. */
function sendable(key: Secret): Secret {
  if (!/^[\x21-\x7e]+$/.test(key.reveal())) throw unauthorized("Incorrect API key provided.");
  return key;
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
