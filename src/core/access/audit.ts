import type { Db } from "../../db/database.js";
import { insertAudit, listAudit } from "../../db/tables/audit.js";
import type { AuditEntry } from "../../words/accessKey.js";
import { newId } from "../../words/ids.js";

/** Who acts, for the audit log. */
export interface Actor {
  name: string;
  /** The client's address; null: the command line. */
  address: string | null;
  requestId: string | null;
}

/** Writes an act down in the transaction that does it, so that there is neither without the other. */
export async function record(
  tx: Db,
  { name, address, requestId }: Actor,
  at: number,
  act: Pick<AuditEntry, "action" | "target" | "details">,
): Promise<void> {
  await insertAudit(tx, { ...act, id: newId("audit_", at), at, actor: name, address, requestId });
}

/** So many stores of one act are named. */
const mostNamed = 1_000;

/** Stores, for the details of an act. */
export const audited = (ids: readonly string[]): { stores: number; storeIds: string[] } => ({
  stores: ids.length,
  storeIds: ids.slice(0, mostNamed),
});

/** Acts, newest first. */
export const list = (
  deps: { db: Db },
  page: { limit: number; before: string | null },
): Promise<{ entries: AuditEntry[]; hasMore: boolean }> => listAudit(deps.db, page);
