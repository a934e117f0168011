import type { Payer } from "../words/caller.js";
import type { Secret } from "../words/secret.js";

/* What this service asks LiteLLM about keys, teams and users. */

/** What LiteLLM knows of a key. */
export interface KeyFacts {
  readonly userId: string | null;
  readonly teamId: string | null;
  /** Unix milliseconds; null: never. */
  readonly expiresAt: number | null;
  /** `object_permission.vector_stores`; empty: the key names none. */
  readonly vectorStores: readonly string[];
}

interface TeamFacts {
  readonly blocked: boolean;
  readonly vectorStores: readonly string[];
}

/**
 * LiteLLM's keys, teams and users. Nothing is remembered here.
 * @throws ApiError 401 for a key that LiteLLM does not accept, 403 `key_not_readable` for one that may not be looked
 * up, 503 `key_check_failed` whenever it cannot tell
 */
export interface Directory {
  /** Whether questions carry the master key. */
  readonly asksAsMaster: boolean;
  /**
   * @param hash SHA-256 of the key in hex
   * @param key null, here and below: it is not at hand, so the master must ask
   */
  readonly key: (key: Secret | null, hash: string) => Promise<KeyFacts>;
  readonly team: (id: string, key: Secret | null) => Promise<TeamFacts>;
  /** LiteLLM's name of the user's role, such as `proxy_admin`; null if it has no such user. */
  readonly role: (userId: string, key: Secret | null) => Promise<string | null>;
  /** The models that a key lists; empty: it names none. Asked by the master key, for a key that is not at hand. */
  readonly modelsOf: (hash: string) => Promise<readonly string[]>;
}

/** Who asks through LiteLLM, and for what, as LiteLLM has signed it. */
export interface SignedIdentity {
  /** Null for a key without a user. */
  readonly userId: string | null;
  readonly teamId: string | null;
  /** SHA-256 of the caller's LiteLLM key in hex; null: the master key. */
  readonly keyHash: string | null;
  /** LiteLLM's name of the user's role. `internal_user` is also given to keys without a user. */
  readonly role: string | null;
  readonly operation: string;
  readonly storeId: string | null;
}

/** Reads a token. `problem`: why it proves nothing, to follow a colon. */
export type ReadIdentity = (token: string) => { identity: SignedIdentity } | { problem: string };

/** Makes and deletes keys at LiteLLM, with its master key. */
export interface Minter {
  /**
   * @param wanted.models the only ones that the key may use; empty: those of its user and team
   * @throws ApiError 503, or 502 `model_refused` if LiteLLM makes none
   */
  readonly mint: (wanted: {
    payer: Payer;
    models: readonly string[];
    alias: string;
    seconds: number;
  }) => Promise<{ key: Secret; hash: string }>;
  /** @throws ApiError 503 */
  readonly remove: (hashes: readonly string[]) => Promise<void>;
}
