import { randomUUID } from "node:crypto";
import { listPredecessors, passKeyOn } from "../../db/tables/keyRotation.js";
import type { KeyWish, LitellmKey, LitellmPage, MadeKey, Management } from "../../litellm/managementContract.js";
import { ApiError, conflict, invalid, notFound } from "../../words/errors.js";
import type { AuditEntry } from "../../words/accessKey.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";
import { writtenIds } from "../stores/writtenId.js";
import { type Actor, audited, record } from "./audit.js";
import { requireManagement } from "./management.js";

/**
 * LiteLLM's virtual keys, managed with its master key; imported as `litellmKeys`. What is done at LiteLLM cannot be in
 * a transaction with the audit log: it is written down afterwards, and what can be taken back is, if that fails.
 */

export type { LitellmKey };

/** A key with its secret, which nobody sees again. */
export type NewLitellmKey = LitellmKey & { key: string };

/** @throws ApiError 409, 503 as `Management`, like everything here */
export const list = (
  deps: Deps,
  asked: { page: number; limit: number; userId: string | null; teamId: string | null; alias: string | null },
): Promise<LitellmPage<LitellmKey>> => requireManagement(deps).keys.page(asked);

/** @throws ApiError 400 for a user or a team that LiteLLM does not have; 409 if another key has the alias */
export async function create(deps: Deps, actor: Actor, given: KeyWish): Promise<NewLitellmKey> {
  const wish = { ...given, vectorStores: writtenIds(deps, given.vectorStores) };
  const { keys, users, teams } = requireManagement(deps);
  // LiteLLM would make a key for anybody.
  for (const [field, id, listing] of [
    ["user_id", wish.userId, users],
    ["team_id", wish.teamId, teams],
  ] as const) {
    if (id !== null && (await listing.find(id)) === null) throw invalid(field, `LiteLLM has no '${id.slice(0, 100)}'`);
  }
  const made = await keys.make(wish).catch(aboutAlias);
  try {
    const { alias, userId, teamId, models, vectorStores, maxBudget, seconds } = wish;
    const details = { alias, userId, teamId, models, vectorStores, maxBudget, seconds };
    const key = await shown(keys, made);
    await note(deps, actor, { action: "litellm_key.create", target: made.hash, details });
    return key;
  } catch (error) {
    await takeBack(deps, made.hash, () => keys.remove([made.hash]));
    throw error;
  }
}

/** Stops a key, or lets it work again; here at once, at LiteLLM's and our other processes a minute later at most. */
export async function setBlocked(deps: Deps, actor: Actor, hash: string, blocked: boolean): Promise<LitellmKey> {
  const { keys } = requireManagement(deps);
  const { alias, userId, teamId, blocked: before } = (await keys.find(hash)) ?? throwUnknown(hash);
  try {
    await keys.setBlocked(hash, blocked);
    const key = (await keys.find(hash)) ?? throwUnknown(hash);
    const action = blocked ? "litellm_key.block" : "litellm_key.unblock";
    await note(deps, actor, { action, target: hash, details: { alias, userId, teamId } });
    return key;
  } catch (error) {
    await takeBack(deps, hash, () => keys.setBlocked(hash, before));
    throw error;
  } finally {
    deps.callers.forgetUserKey(hash);
  }
}

/**
 * Makes a key in the place of another one, which works for a while beside it. LiteLLM's own rotation needs a licence.
 * The old key gives its alias away first, because aliases are unique, and gets its end in the same step, so that two
 * rotations at once cannot leave it without one: the second finds the alias taken, and cannot take its step back.
 * @throws ApiError 404; 409 for a key that is blocked or has ended: its successor would work
 */
export async function rotate(deps: Deps, actor: Actor, hash: string, overlapSeconds: number): Promise<NewLitellmKey> {
  const { keys } = requireManagement(deps);
  const old = (await keys.find(hash)) ?? throwUnknown(hash);
  const left = secondsLeft(old, deps.now());
  if (old.blocked) throw conflict("key_hash", "the key is blocked; unblock it first");
  if (left !== null && left <= 0) throw conflict("key_hash", "the key has ended; make a new one");
  // Never longer than it would have worked: an end can be moved in both directions.
  const overlap = Math.max(1, Math.min(overlapSeconds, left ?? Infinity));
  const mark = randomUUID();
  try {
    await keys.change(hash, { alias: oldAlias(old), seconds: overlap });
    const made = await keys.makeLike(hash, { alias: old.alias, seconds: left, mark }).catch(aboutAlias);
    const key = await shown(keys, made);
    const details = { alias: old.alias, userId: old.userId, teamId: old.teamId, overlapSeconds, newKey: made.hash };
    await succeed(deps, actor, hash, details);
    return key;
  } catch (error) {
    await takeBack(deps, hash, () => undoRotation(keys, old, mark, deps.now()));
    throw error;
  } finally {
    deps.callers.forgetUserKey(hash);
  }
}

/** What the old key owns here, and its limits, are the new key's from now on; the old one sees what that one has. */
async function succeed(
  deps: Deps,
  actor: Actor,
  hash: string,
  details: { newKey: string; overlapSeconds: number } & Record<string, unknown>,
): Promise<void> {
  const { newKey, overlapSeconds } = details;
  const { storeIds, before } = await deps.db.transaction(async (tx) => {
    const now = deps.now();
    const moved = await passKeyOn(tx, hash, newKey, { now, keepLimits: overlapSeconds > 0 });
    const more = { ...audited(moved.storeIds), files: moved.files };
    await record(tx, actor, now, { action: "litellm_key.rotate", target: hash, details: { ...details, ...more } });
    return { storeIds: moved.storeIds, before: await listPredecessors(tx, newKey) };
  });
  for (const id of storeIds) stores.forget(deps, id);
  for (const each of [newKey, ...before]) deps.callers.forgetUserKey(each);
  deps.limiter.forget();
}

const oldAlias = ({ alias, hash }: LitellmKey) => (alias === null ? null : `${alias} (old ${hash.slice(0, 8)})`);

const secondsLeft = ({ expiresAt }: LitellmKey, now: number) =>
  expiresAt === null ? null : Math.ceil((expiresAt - now) / 1000);

/**
 * Removes the new key, even if the answer with it was lost, and gives the old one its alias and its end again. If
 * another rotation has given the alias to a key of its own, the old key ends as that one wants it.
 */
async function undoRotation(keys: Management["keys"], old: LitellmKey, mark: string, now: number): Promise<void> {
  const unwanted = await keys.findMarked(mark, old);
  if (unwanted !== null) await keys.remove([unwanted]);
  const left = secondsLeft(old, now);
  const before = { alias: old.alias, seconds: left === null ? null : Math.max(1, left) };
  await keys.change(old.hash, before).catch((error: unknown) => {
    if (!isTaken(error)) throw error;
  });
}

/** Work that failed is taken back; if that fails, too, the log says what is left. */
async function takeBack(deps: Deps, hash: string, undo: () => Promise<void>): Promise<void> {
  await undo().catch((error: unknown) => {
    deps.log.error({ err: error, key: hash }, "a change of a LiteLLM key failed halfway and could not be taken back");
  });
}

/** The key as LiteLLM has it now, with its secret. */
async function shown(keys: Management["keys"], { key, hash }: MadeKey): Promise<NewLitellmKey> {
  return { ...((await keys.find(hash)) ?? throwUnknown(hash)), key: key.reveal() };
}

async function note(deps: Deps, actor: Actor, act: Pick<AuditEntry, "action" | "target" | "details">): Promise<void> {
  await deps.db.transaction((tx) => record(tx, actor, deps.now(), act));
}

function throwUnknown(hash: string): never {
  throw notFound("LiteLLM key", hash, "key_hash");
}

const isTaken = (error: unknown) =>
  error instanceof ApiError && error.status === 400 && /alias .*already exists/i.test(error.message);

/** An alias that another key has is a conflict, whatever LiteLLM calls it. */
function aboutAlias(error: unknown): never {
  throw isTaken(error) ? conflict("alias", "another key has this alias") : error;
}
