import type { Db } from "../../db/database.js";
import { insertAudit } from "../../db/tables/audit.js";
import type { AuditEntry } from "../../words/accessKey.js";
import { type Caller, type Owner, ownerOf } from "../../words/caller.js";
import { nameOf } from "../../words/callerName.js";
import { newId } from "../../words/ids.js";

/**
 * Writes down what an administrator does to what belongs to somebody else. What owners and those whom they permitted do
 * is their own business, and no administrative act.
 */
export async function recordOnOthers(
  tx: Db,
  caller: Caller,
  at: number,
  owner: Owner,
  { details, ...act }: Pick<AuditEntry, "action" | "target" | "details">,
): Promise<void> {
  if (!administers(caller) || isOwn(ownerOf(caller), owner)) return;
  const { address, requestId } = caller.from ?? { address: null, requestId: null };
  const actor = nameOf(caller);
  const id = newId("audit_", at);
  await insertAudit(tx, { ...act, id, at, actor, details: { ...details, owner }, address, requestId });
}

/** A key of the service with the scope `admin` is an administrator's, too. */
const administers = (caller: Caller) =>
  caller.kind === "admin" || (caller.kind === "server" && caller.scope === "admin");

/** A team's things are a teammate's own only where no user has made them. */
const isOwn = (mine: Owner, owner: Owner): boolean => {
  if (owner.userId !== null) return owner.userId === mine.userId;
  return owner.teamId === null ? owner.keyId === mine.keyId : owner.teamId === mine.teamId;
};
