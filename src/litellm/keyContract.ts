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
  /** @param hash SHA-256 of the key in hex */
  readonly key: (key: Secret, hash: string) => Promise<KeyFacts>;
  readonly team: (id: string, key: Secret) => Promise<TeamFacts>;
  /** LiteLLM's name of the user's role, such as `proxy_admin`; null if it has no such user. */
  readonly role: (userId: string, key: Secret) => Promise<string | null>;
  /** The models that a key lists; empty: it names none. Asked by the master key, for a key that is not at hand. */
  readonly modelsOf: (hash: string) => Promise<readonly string[]>;
}

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
