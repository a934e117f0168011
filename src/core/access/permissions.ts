import type { Db } from "../../db/database.js";
import { findStore } from "../../db/tables/stores.js";
import { deleteGrant, listGrants, putGrant, setStoreOwner } from "../../db/tables/permissions.js";
import { type Caller, type Owner, type StorePermission, ownerOf, scopeOf } from "../../words/caller.js";
import { forbidden, notFound } from "../../words/errors.js";
import type { Grant } from "../../words/grant.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";
import { type Actor, record } from "./audit.js";

/** Who may use a store; imported as `permissions`. Changes need the permission `admin` on the store. */

/** For those who may change it, and for administrators who only read. @throws ApiError 403, 404 */
export async function list(deps: Deps, caller: Caller, storeId: string): Promise<Grant[]> {
  const store = await stores.find(deps, caller, storeId, caller.kind === "admin" ? "read" : "admin");
  return listGrants(deps.db, store.id);
}

/**
 * What the caller may do with a store, and whether that includes giving it to somebody else.
 * @param most what the caller may do with any store
 * @throws ApiError 404
 */
export async function mine(
  deps: Deps,
  caller: Caller,
  storeId: string,
  most: "read" | "admin",
): Promise<{ permission: StorePermission; owner: boolean }> {
  const store = await stores.find(deps, caller, storeId, "read");
  for (const permission of ["admin", "write"] as const) {
    if (most === "read") break;
    const found = await findStore(deps.db, scopeOf(caller, permission), store.id);
    if (found !== undefined) return { permission, owner: permission === "admin" && mayGive(caller, store) };
  }
  return { permission: "read", owner: false };
}

/** Grants a permission, in the place of the one that the subject had. @throws ApiError 403, 404 */
export async function grant(
  deps: Deps,
  caller: Caller,
  actor: Actor,
  storeId: string,
  given: { subject: string; permission: StorePermission },
): Promise<Grant> {
  const made: Grant = { ...given, grantedAt: deps.now(), grantedBy: actor.name };
  await change(deps, caller, storeId, async (tx, store) => {
    await putGrant(tx, store.id, made);
    await record(tx, actor, made.grantedAt, { action: "permission.grant", target: store.id, details: given });
  });
  return made;
}

/** Takes a permission away. @throws ApiError 403, 404 */
export async function revoke(
  deps: Deps,
  caller: Caller,
  actor: Actor,
  storeId: string,
  subject: string,
): Promise<void> {
  await change(deps, caller, storeId, async (tx, store) => {
    const permission = await deleteGrant(tx, store.id, subject);
    if (permission === undefined) throw notFound("permission", subject.slice(0, 300), "subject");
    const details = { subject, permission };
    await record(tx, actor, deps.now(), { action: "permission.revoke", target: store.id, details });
  });
}

/**
 * Gives a store to somebody else, who need not be known to LiteLLM yet. Only its owner may, and whoever sees all
 * stores: a permission can be taken away again, ownership cannot.
 * @throws ApiError 403, also `limit_reached` if the new owner has no room; 404
 */
export async function transfer(
  deps: Deps,
  caller: Caller,
  actor: Actor,
  storeId: string,
  owner: Omit<Owner, "keyId">,
): Promise<void> {
  if (caller.kind === "user") {
    const store = await stores.find(deps, caller, storeId, "admin");
    if (mayGive(caller, store)) await requireRoom(deps, store, owner);
  }
  await change(deps, caller, storeId, async (tx, store) => {
    if (!mayGive(caller, store)) throw forbidden("Only the owner of a vector store may give it to somebody else.");
    await setStoreOwner(tx, store.id, { ...owner, keyId: null });
    const { ownerUserId, ownerTeamId, ownerKeyId } = store;
    const before = { userId: ownerUserId, teamId: ownerTeamId, keyId: ownerKeyId };
    await record(tx, actor, deps.now(), { action: "store.transfer", target: store.id, details: { before, owner } });
  });
}

/** Whoever gets a store from a user, and does not have it yet, must have room for it. @throws ApiError 403 */
async function requireRoom({ limiter }: Deps, store: VectorStore, owner: Omit<Owner, "keyId">): Promise<void> {
  const gaining: Owner = {
    userId: owner.userId === store.ownerUserId ? null : owner.userId,
    teamId: owner.teamId === store.ownerTeamId ? null : owner.teamId,
    keyId: null,
  };
  await limiter.requireStore(gaining);
  await limiter.requireBytes(gaining, store.contentBytes);
}

/** A store without a user is wholly its team's. A server key that is limited to some stores owns none of them. */
function mayGive(caller: Caller, { ownerUserId, ownerTeamId, ownerKeyId }: VectorStore): boolean {
  if (scopeOf(caller, "admin").kind === "all") return true;
  const { userId, teamId, keyId } = ownerOf(caller);
  if (ownerUserId !== null) return ownerUserId === userId;
  return ownerTeamId !== null ? ownerTeamId === teamId : ownerKeyId !== null && ownerKeyId === keyId;
}

/** Searches of the last second may still use the store as it was; after the change they look it up again. */
async function change(
  deps: Deps,
  caller: Caller,
  storeId: string,
  work: (tx: Db, store: VectorStore) => Promise<void>,
): Promise<void> {
  await deps.db.transaction(async (tx) => work(tx, await stores.lock(tx, caller, storeId, "admin")));
  stores.forget(deps, storeId);
}
