import { hash, randomBytes } from "node:crypto";
import type { Database, Db } from "../../db/database.js";
import {
  deleteKey,
  findKeyByHash,
  insertKey,
  listKeys,
  markKeysUsed,
  replaceHash,
} from "../../db/tables/serverKeys.js";
import type { Log } from "../../process/log.js";
import type { ServerKey } from "../../words/accessKey.js";
import { conflict, notFound, unauthorized } from "../../words/errors.js";
import { newId } from "../../words/ids.js";
import { writtenIds } from "../stores/writtenId.js";
import { type Actor, record } from "./audit.js";
import { remember } from "./remembered.js";

/** The service's own keys; imported as `serverKeys`. */

/** A revoked key stops on every replica within this time, because each looks it up again. */
const rememberedMs = 4_000;
const mostRemembered = 10_000;
/** The time of a key's last use is written this often. */
const markEveryMs = 60_000;

/** The part of `Deps` that these use cases need; the command line has no more. */
export interface KeyDeps {
  db: Database;
  now: () => number;
  callers: { forgetServerKeys: () => void };
}

/** A key with its secret, which nobody sees again. */
export type NewServerKey = ServerKey & { key: string };

const prefix = "sk-vs-";
export const isServerKey = (token: string): boolean => token.startsWith(prefix);

function newSecret(): { key: string; hash: Buffer; ending: string } {
  const key = prefix + randomBytes(32).toString("base64url");
  return { key, hash: hash("sha256", key, "buffer"), ending: key.slice(-4) };
}

/** @throws ApiError 409 if another key has this name */
export async function create(
  deps: KeyDeps,
  actor: Actor,
  wanted: Pick<ServerKey, "name" | "scope" | "stores" | "identityRequired" | "expiresAt">,
): Promise<NewServerKey> {
  const input = { ...wanted, stores: wanted.stores === null ? null : writtenIds(deps, wanted.stores) };
  const now = deps.now();
  const { key, hash: keyHash, ending } = newSecret();
  const made: ServerKey = {
    ...input,
    id: newId("key_", now),
    ending,
    createdAt: now,
    createdBy: actor.name,
    lastUsedAt: null,
    oldUntil: null,
  };
  await deps.db.transaction(async (tx) => {
    if (!(await insertKey(tx, made, keyHash))) throw conflict("name", "another key has this name");
    const { name, scope, stores, identityRequired, expiresAt } = input;
    const details = { name, scope, stores, identityRequired, expiresAt };
    await record(tx, actor, now, { action: "key.create", target: made.id, details });
  });
  // It may have been sent, and refused, before.
  deps.callers.forgetServerKeys();
  return { ...made, key };
}

export const list = (deps: KeyDeps): Promise<ServerKey[]> => listKeys(deps.db);

/**
 * Gives a key a new secret.
 * @param overlapMs how long the secret before works beside it; one that was replaced earlier stops at once
 * @throws ApiError 404
 */
export async function rotate(deps: KeyDeps, actor: Actor, id: string, overlapMs: number): Promise<NewServerKey> {
  const now = deps.now();
  const { key, ...next } = newSecret();
  const changed = await deps.db.transaction(async (tx) => {
    const found = (await replaceHash(tx, id, { ...next, oldUntil: now + overlapMs })) ?? throwUnknownKey(id);
    await record(tx, actor, now, { action: "key.rotate", target: id, details: { name: found.name, overlapMs } });
    return found;
  });
  deps.callers.forgetServerKeys();
  return { ...changed, key };
}

/** Ends a key: at once in this process, within 5 s in others. @throws ApiError 404 */
export async function revoke(deps: KeyDeps, actor: Actor, id: string): Promise<void> {
  await deps.db.transaction(async (tx: Db) => {
    const gone = (await deleteKey(tx, id)) ?? throwUnknownKey(id);
    await record(tx, actor, deps.now(), { action: "key.revoke", target: id, details: { name: gone.name } });
  });
  deps.callers.forgetServerKeys();
}

function throwUnknownKey(id: string): never {
  throw notFound("key", id.slice(0, 100), "key_id");
}

interface Parts {
  db: Database;
  log: Log;
  now: () => number;
}

/** Finds keys of the service by the SHA-256 of what was sent, and notes when they are used. */
export function knownServerKeys({ db, log, now }: Parts): {
  /** @throws ApiError 401 */
  of: (sent: Buffer) => Promise<ServerKey>;
  forget: () => void;
} {
  const make = () =>
    remember<ServerKey>({ now, forMs: rememberedMs, max: mostRemembered, endOf: (key) => key.expiresAt });
  let known = make();
  const marked = new Map<string, number>();
  const mark = ({ id }: ServerKey) => {
    const moment = now();
    if (moment - (marked.get(id) ?? 0) < markEveryMs) return;
    marked.set(id, moment);
    markKeysUsed(db, new Map([[id, moment]])).catch((error: unknown) => {
      log.warn({ err: error, key: id }, "the last use of a key could not be recorded");
    });
  };
  return {
    of: async (sent) => {
      const key = await known.of(sent.toString("base64"), async () => {
        const found = await findKeyByHash(db, sent, now());
        if (found === undefined) throw unauthorized("Incorrect API key provided.");
        return found;
      });
      mark(key);
      return key;
    },
    forget: () => {
      known = make();
    },
  };
}
