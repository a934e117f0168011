import type { Secret } from "../words/secret.js";

/* What administrators do at LiteLLM, with its master key. Times are Unix milliseconds. */

export interface LitellmUser {
  readonly id: string;
  readonly email: string | null;
  readonly alias: string | null;
  /** Such as `internal_user`. */
  readonly role: string | null;
  readonly teams: readonly string[];
  /** Empty: all. */
  readonly models: readonly string[];
  /** In US dollars, as LiteLLM counts; the counter starts again with each budget period. */
  readonly spend: number;
  readonly maxBudget: number | null;
}

export interface LitellmTeam {
  readonly id: string;
  readonly alias: string | null;
  readonly blocked: boolean;
  readonly members: readonly { readonly id: string | null; readonly role: string }[];
  readonly models: readonly string[];
  readonly spend: number;
  readonly maxBudget: number | null;
}

/** A virtual key, without the key itself. */
export interface LitellmKey {
  /** SHA-256 of the key in hex. */
  readonly hash: string;
  /** Unique at LiteLLM. */
  readonly alias: string | null;
  /** Its last characters: `sk-...OEeQ`. */
  readonly shown: string | null;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly models: readonly string[];
  /** `object_permission.vector_stores`; empty: it names none. */
  readonly vectorStores: readonly string[];
  readonly blocked: boolean;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly spend: number;
  readonly maxBudget: number | null;
}

/** One page of LiteLLM's, counted from 1. */
export interface LitellmPage<T> {
  readonly items: readonly T[];
  readonly total: number;
}

export interface Listing<T, Filter> {
  readonly page: (asked: { page: number; limit: number } & Filter) => Promise<LitellmPage<T>>;
  /** Null: LiteLLM has none with this id. */
  readonly find: (id: string) => Promise<T | null>;
}

/** What a new key is to be. */
export interface KeyWish {
  readonly alias: string | null;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly models: readonly string[];
  readonly vectorStores: readonly string[];
  readonly maxBudget: number | null;
  /** Null: it never ends. */
  readonly seconds: number | null;
}

export interface MadeKey {
  readonly key: Secret;
  readonly hash: string;
}

interface KeyFilter {
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly alias: string | null;
}

export interface LitellmKeys extends Listing<LitellmKey, KeyFilter> {
  readonly make: (wish: KeyWish) => Promise<MadeKey>;
  /**
   * Makes a key with everything that another one has: owner, models, budgets, what was spent, limits, permissions.
   * @param wish.seconds null: it never ends
   * @param wish.mark kept with the new key, so that `findMarked` finds it
   * @throws also if the other one is gone
   */
  readonly makeLike: (
    hash: string,
    wish: { alias: string | null; seconds: number | null; mark: string },
  ) => Promise<MadeKey>;
  /** Changes the alias and the end of a key at once. @param seconds from now; null: it never ends */
  readonly change: (hash: string, to: { alias: string | null; seconds: number | null }) => Promise<void>;
  readonly setBlocked: (hash: string, blocked: boolean) => Promise<void>;
  /** Does nothing for keys that are gone. */
  readonly remove: (hashes: readonly string[]) => Promise<void>;
  /** The hash of the key that `makeLike` made with this mark; null: there is none. @param like what the key is like */
  readonly findMarked: (mark: string, like: LitellmKey) => Promise<string | null>;
}

/**
 * LiteLLM's users, teams and keys, as the master key sees and changes them. Nothing is remembered here.
 * @throws ApiError 503 `litellm_unavailable` if LiteLLM does not answer or fails; 400, 404, 409 or 422
 * `litellm_refused` with its own words
 */
export interface Management {
  /** `search`: a part of the email, in upper or lower case. */
  readonly users: Listing<LitellmUser, { search: string | null }>;
  /** `search`: a part of the alias. */
  readonly teams: Listing<LitellmTeam, { search: string | null }>;
  readonly keys: LitellmKeys;
}
