import type { Database, Db } from "../../db/database.js";
import {
  deleteExpiredSessions,
  deleteSession,
  deleteSessionByHash,
  deleteSessionsBeyond,
  findSession,
  insertSession,
  listSessions,
  markSessionUsed,
} from "../../db/tables/sessions.js";
import type { Log } from "../../process/log.js";
import type { Caller, Origin } from "../../words/caller.js";
import { nameOf } from "../../words/callerName.js";
import { ApiError, forbidden, notFound } from "../../words/errors.js";
import { newId } from "../../words/ids.js";
import { type Session, type SessionRole, roleOf } from "../../words/session.js";
import type { Deps } from "../deps.js";
import { type Actor, record } from "./audit.js";
import type { Callers } from "./callers.js";
import { hashOf, newToken, open, readToken, seal } from "./sealedKey.js";

/**
 * Sign-ins to the web page; imported as `sessions`. A session stands for the key that it was made with: each request
 * asks whose that key is, so it may do what the key may at that moment, and ends with the key.
 */

const markEveryMs = 5 * 60_000;
/** Whoever signs in more often loses the oldest ones. */
const mostOfOne = 500;
const longestAgent = 200;

/** A key that comes without LiteLLM's word about who asks. */
const alone = { tokens: [], operation: null, storeId: null };

export interface NewSession {
  session: Session;
  caller: Caller;
  /** For the cookie; nobody else has it. */
  token: string;
}

/**
 * Signs in with a key.
 * @param from.replaces the token of a session that ends thereby
 * @throws ApiError 401, 403 for a key that may not sign in, 429 after too many failures; as `Callers.of`
 */
export async function create(
  deps: Deps,
  key: string,
  from: Origin & { userAgent: string | null; replaces: string | null },
): Promise<NewSession> {
  const attempt = deps.attempts.begin(from.address);
  let caller: Caller;
  let role: SessionRole;
  try {
    caller = await callerOf(deps, key);
    role = requireRole(caller);
  } catch (error) {
    const isKeys = error instanceof ApiError && (error.status === 401 || error.status === 403);
    if (!isKeys) attempt.forgive();
    else if (attempt.worthNoting()) await noteRefusal(deps, from, error.details.code ?? null);
    throw error;
  }
  attempt.forgive();
  const now = deps.now();
  const session: Session = {
    id: newId("session_", now),
    name: nameOf(caller),
    role,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: now + deps.config.access.sessionMs,
    address: from.address,
    userAgent: from.userAgent?.slice(0, longestAgent) ?? null,
  };
  const token = newToken();
  await store(deps, session, { key, token, from });
  const { id, expiresAt } = session;
  return { session, token, caller: { ...caller, session: { id, expiresAt } } };
}

async function store(
  deps: Deps,
  session: Session,
  { key, token, from }: { key: string; token: string; from: Origin & { replaces: string | null } },
): Promise<void> {
  const bytes = readToken(token) ?? throwEnded();
  const before = from.replaces === null ? null : readToken(from.replaces);
  const { id, name, role, createdAt } = session;
  const actor = { name, address: from.address, requestId: from.requestId };
  await deps.db.transaction(async (tx) => {
    if (before !== null) {
      const replaced = await deleteSessionByHash(tx, hashOf(before));
      if (replaced !== undefined) await noteEnd(tx, actor, createdAt, replaced, "replaced");
    }
    await insertSession(tx, session, hashOf(bytes), seal(key, bytes, id));
    await deleteSessionsBeyond(tx, name, mostOfOne);
    await record(tx, actor, createdAt, { action: "session.created", target: id, details: { role } });
  });
}

/** Whose the key is. One that needs LiteLLM's word who asks is nobody's by itself. @throws ApiError */
async function callerOf({ callers }: { callers: Callers }, key: string): Promise<Caller> {
  try {
    return await callers.of(key, alone);
  } catch (error) {
    if (error instanceof ApiError && error.details.code === "identity_required") {
      throw forbidden("This key works only for LiteLLM, which says who asks, so nobody can sign in with it.");
    }
    throw error;
  }
}

/** @throws ApiError 403 */
function requireRole(caller: Caller): SessionRole {
  const role = roleOf(caller);
  if (role === null || role === "server:search") {
    throw forbidden("This key may only search, so it cannot sign in: its page would show nothing.");
  }
  return role;
}

/**
 * Who sent the token of a session. Only the first look at a session's key may take long; what it says is remembered as
 * for the key itself.
 * @throws ApiError 401 `session_ended`, or why it ends at this moment: `session_key_refused`, `session_caller_changed`;
 * as `Callers.of` while nobody can tell whose the key is
 */
export async function resume(
  deps: { db: Database; callers: Callers; log: Log; now: () => number },
  token: string,
  from: Origin,
): Promise<Caller> {
  const bytes = readToken(token) ?? throwEnded();
  const now = deps.now();
  const found = (await findSession(deps.db, hashOf(bytes), now)) ?? throwEnded();
  const { sealed, ...session } = found;
  const key = open(sealed, bytes, session.id) ?? throwEnded();
  const actor = { name: session.name, ...from };
  let caller: Caller;
  try {
    caller = await callerOf(deps, key);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    await end(deps, actor, session.id, { reason: "key_refused", of: null });
    throwEnded("session_key_refused");
  }
  if (roleOf(caller) !== session.role || nameOf(caller) !== session.name) {
    await end(deps, actor, session.id, { reason: "caller_changed", of: null });
    throwEnded("session_caller_changed");
  }
  if (now - session.lastUsedAt >= markEveryMs) {
    markSessionUsed(deps.db, session.id, now).catch((error: unknown) => {
      deps.log.warn({ err: error, session: session.id }, "the last use of a session could not be recorded");
    });
  }
  return { ...caller, session: { id: session.id, expiresAt: session.expiresAt } };
}

/** The caller's own sessions, newest first: those with the same name. */
export async function listOwn(deps: Deps, caller: Caller): Promise<Session[]> {
  const page = { name: nameOf(caller), now: deps.now(), limit: mostOfOne, before: null };
  return (await listSessions(deps.db, page)).sessions;
}

/** Everybody's, newest first. */
export const list = (deps: Deps, page: { limit: number; before: string | null }) =>
  listSessions(deps.db, { ...page, name: null, now: deps.now() });

/**
 * Ends the session of a token. Whose its key is does not matter, so this works while LiteLLM is away.
 * @returns its id; null: it has ended before
 */
export async function signOut(deps: Deps, token: string, from: Origin): Promise<string | null> {
  const bytes = readToken(token);
  if (bytes === null) return null;
  return deps.db.transaction(async (tx) => {
    const ended = await deleteSessionByHash(tx, hashOf(bytes));
    if (ended === undefined) return null;
    await noteEnd(tx, { name: ended.name, ...from }, deps.now(), ended, "signed_out");
    return ended.id;
  });
}

/** Ends a session of the caller's own. @throws ApiError 404 */
export async function endOwn(deps: Deps, caller: Caller, actor: Actor, id: string): Promise<void> {
  if (!(await end(deps, actor, id, { reason: "signed_out", of: nameOf(caller) }))) throwUnknown(id);
}

/** Ends anybody's session. @throws ApiError 404 */
export async function endAny(deps: Deps, actor: Actor, id: string): Promise<void> {
  if (!(await end(deps, actor, id, { reason: "ended_by_administrator", of: null }))) throwUnknown(id);
}

type Reason = "signed_out" | "ended_by_administrator" | "key_refused" | "caller_changed" | "replaced";

/** @param why.of whose it must be; null: anybody's @returns false if there was none */
async function end(
  deps: { db: Database; now: () => number },
  actor: Actor,
  id: string,
  { reason, of }: { reason: Reason; of: string | null },
): Promise<boolean> {
  return deps.db.transaction(async (tx) => {
    const ended = await deleteSession(tx, id, of);
    if (ended !== undefined) await noteEnd(tx, actor, deps.now(), ended, reason);
    return ended !== undefined;
  });
}

const noteEnd = (tx: Db, actor: Actor, at: number, { id, name, role }: Session, reason: Reason) =>
  record(tx, actor, at, { action: "session.ended", target: id, details: { name, role, reason } });

/** Never the key, which may be one with a wrong letter. */
async function noteRefusal(deps: Deps, { address, requestId }: Origin, reason: string | null): Promise<void> {
  const actor = { name: "nobody", address, requestId };
  const act = { action: "session.refused", target: "sign-in", details: { reason } };
  await deps.db.transaction((tx) => record(tx, actor, deps.now(), act));
}

/** Removes what has expired. */
export const sweep = (deps: Deps): Promise<number> => deleteExpiredSessions(deps.db, deps.now());

const endings = {
  session_ended: "the session has ended",
  session_key_refused: "the key of the session is no longer accepted",
  session_caller_changed: "the key of the session has become somebody else's or got another role",
};

function throwEnded(code: keyof typeof endings = "session_ended"): never {
  throw new ApiError(401, `You are signed out: ${endings[code]}. Sign in again.`, {
    type: "authentication_error",
    code,
    headers: { "www-authenticate": "Bearer" },
  });
}

function throwUnknown(id: string): never {
  throw notFound("session", id.slice(0, 100), "session_id");
}
