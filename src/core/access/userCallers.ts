import { hash } from "node:crypto";
import type { Db } from "../../db/database.js";
import { findHeirOfKey } from "../../db/tables/keyRotation.js";
import type { Directory, KeyFacts } from "../../litellm/keyContract.js";
import type { Config } from "../../process/config.js";
import type { Caller, User } from "../../words/caller.js";
import { ApiError, unauthorized } from "../../words/errors.js";
import { Secret } from "../../words/secret.js";
import { writtenIds } from "../stores/writtenId.js";
import { remember } from "./remembered.js";

interface Parts {
  config: Config["access"];
  db: Db;
  directory: Directory;
  /** Unix milliseconds. */
  now: () => number;
  random?: () => number;
}

const mostKeys = 10_000;
const mostTeams = 1_000;
/** LiteLLM adds a row to its database for each key that asks about itself in vain. */
const unknownKeysPerSecond = 10;

/**
 * What LiteLLM said of a key is used this much longer where LiteLLM has just authenticated the key itself, but is too
 * busy to say again whose it is: the request that it waits for may be one of very many.
 */
const authenticatedGraceMs = 10 * 60_000;

/** Tells who holds a LiteLLM key. */
export interface UserCallers {
  /**
   * @throws ApiError 401 (also for a blocked key or team), 403 `key_not_readable`, 429 if too many unknown keys come,
   * 503 `key_check_failed` if LiteLLM cannot tell and has not told within KEY_GRACE_SECONDS more
   */
  of: (token: string) => Promise<Caller>;
  /**
   * By the SHA-256 in hex of a key that is not at hand, and that LiteLLM has just authenticated; null: without the
   * master key, LiteLLM does not tell.
   * @throws ApiError as `of`
   */
  ofHash: ((keyHash: string) => Promise<Caller>) | null;
  /** Makes the next use of a key ask LiteLLM again. */
  forget: (keyHash: string) => void;
}

/**
 * Turns LiteLLM keys into callers. What LiteLLM says is remembered for KEY_CACHE_SECONDS, by the hash of what was sent;
 * so is its refusal.
 */
export function createUserCallers({ config, db, directory, now, random }: Parts): UserCallers {
  const { cacheMs: forMs, graceMs } = config;
  const shared = { now, forMs, graceMs, ...(random !== undefined && { random }) };
  const keys = remember<KeyFacts & { heirHash: string }>({
    ...shared,
    max: mostKeys,
    endOf: ({ expiresAt }) => expiresAt,
  });
  const teams = remember<Awaited<ReturnType<Directory["team"]>>>({ ...shared, max: mostTeams });
  const roles = remember<string | null>({ ...shared, max: mostKeys });
  const admitUnknown = limitPerSecond(unknownKeysPerSecond, now);

  const factsOf = async (key: Secret | null, keyHash: string) => {
    const facts = await directory.key(key, keyHash);
    const ownsItself = facts.userId === null && facts.teamId === null;
    return { ...facts, heirHash: ownsItself ? await findHeirOfKey(db, keyHash) : keyHash };
  };
  const of = async (key: Secret | null, keyHash: string) => {
    const grace = key === null ? Math.max(graceMs, authenticatedGraceMs) : graceMs;
    const known = await keys.of(keyHash, () => factsOf(key, keyHash), grace);
    const { userId, teamId, vectorStores, heirHash } = known;
    const [team, role] = await Promise.all([
      teamId === null ? null : teams.of(teamId, () => directory.team(teamId, key), grace),
      userId === null ? null : roles.of(userId, () => directory.role(userId, key), grace),
    ]);
    if (team?.blocked === true) throw unauthorized("Incorrect API key provided.");
    const onlyStores = storesOf(
      writtenIds({ db }, vectorStores),
      team === null ? null : writtenIds({ db }, team.vectorStores),
      config.denyByDefault,
    );
    return callerFor({ userId, teamId, keyHash, heirHash, key, onlyStores }, role, config);
  };
  return {
    of: async (token) => {
      const keyHash = hash("sha256", token, "hex");
      if (!directory.asksAsMaster && !keys.knows(keyHash)) admitUnknown();
      return of(new Secret(token), keyHash);
    },
    ofHash: directory.asksAsMaster ? (keyHash) => of(null, keyHash) : null,
    forget: (keyHash) => {
      keys.forget(keyHash);
    },
  };
}

/** @param role LiteLLM's name of the user's role; only those of its administrators give more than a user has */
export function callerFor(user: User, role: string | null, { adminUserIds }: Config["access"]): Caller {
  const isNamed = user.userId !== null && adminUserIds.includes(user.userId);
  // What LiteLLM lets its users' keys use does not limit an administrator, as at LiteLLM itself.
  if (isNamed || role === "proxy_admin") return { kind: "admin", readOnly: false, user: { ...user, onlyStores: null } };
  if (role === "proxy_admin_viewer") return { kind: "admin", readOnly: true, user: { ...user, onlyStores: null } };
  return { kind: "user", ...user };
}

/**
 * The stores that LiteLLM's `object_permission` leaves to a key: its own list and its team's must both allow. An empty
 * list names none, which means all, or with `vector_store_deny_by_default` nothing (observed: the key must then list a
 * store, and its team, too).
 * @param team null: the key has no team
 * @returns null: all
 */
function storesOf(own: readonly string[], team: readonly string[] | null, deny: boolean): readonly string[] | null {
  const lists = [own, ...(team === null ? [] : [team])].filter((list) => deny || list.length > 0);
  const [first, ...others] = lists;
  return first?.filter((id) => others.every((list) => list.includes(id))) ?? null;
}

/** @returns a function that throws 429 when it is called more often */
function limitPerSecond(limit: number, now: () => number): () => void {
  let [second, count] = [0, 0];
  return () => {
    const current = Math.floor(now() / 1000);
    [second, count] = [current, current === second ? count + 1 : 1];
    if (count <= limit) return;
    throw new ApiError(429, `More than ${limit} unknown keys a second were sent to this server. Try again.`, {
      code: "too_many_unknown_keys",
      retryAfterSeconds: 1,
    });
  };
}
