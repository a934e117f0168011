import { insertAudit } from "../../db/tables/audit.js";
import { addGrants } from "../../db/tables/permissions.js";
import { listErasures } from "../../db/tables/takenAway.js";
import { insertUsage } from "../../db/tables/usage.js";
import type { TransferPage } from "../../words/rows.js";
import { newId } from "../../words/ids.js";
import type { UsageEvent } from "../../words/usage.js";
import { type TakenGrant, eventOf, grantOf, namePermission } from "../../words/takenOver.js";
import { type ImportCounts, type ImportRequest, type TransferDeps, noCounts } from "./importRequest.js";
import type { Targets } from "./targets.js";

export type People = NonNullable<TransferPage["people"]>;

interface Taken {
  counts: ImportCounts;
  /** Names of what means nothing here. */
  notUnderstood: string[];
}

const dayMs = 86_400_000;
/** Of permissions that one page brought, so many are named in the audit log. */
const mostAudited = 1_000;

/**
 * Takes over who may use the stores of a source, and who used them. May be repeated: whoever has a permission keeps it,
 * each use has an id of its own, and what was taken away or erased here stays so.
 */
export async function takePeople(
  deps: TransferDeps,
  targets: Pick<Targets, "idOf">,
  { permissions, uses }: People,
  { dryRun }: Pick<ImportRequest, "dryRun">,
): Promise<Taken> {
  const grants = understood(permissions, grantOf, namePermission);
  const events = understood(uses, eventOf, ({ id }) => `the use ${id}`);
  const since = deps.now() - deps.config.access.usageDays * dayMs;
  const recent = events.taken.filter(({ at }) => at >= since);
  const granted = await grantAll(deps, targets, grants.taken, dryRun);
  const kept = await withoutErased(deps, recent);
  const placed = kept.map((event) => ({
    ...event,
    storeId: event.storeId === null ? null : targets.idOf(event.storeId),
  }));
  const used = dryRun ? placed.length : await insertUsage(deps.db, placed);
  const notUnderstood = [...grants.left, ...events.left];
  return {
    counts: {
      ...noCounts,
      granted,
      used,
      usedLongAgo: events.taken.length - recent.length,
      notUnderstood: notUnderstood.length,
    },
    notUnderstood,
  };
}

function understood<Row, T>(rows: readonly Row[], meaning: (row: Row) => T | null, name: (row: Row) => string) {
  const taken: T[] = [];
  const left: string[] = [];
  for (const row of rows) {
    const meant = meaning(row);
    if (meant === null) left.push(name(row));
    else taken.push(meant);
  }
  return { taken, left };
}

/** Without what somebody had used before everything of theirs was erased here. */
async function withoutErased(deps: TransferDeps, events: readonly UsageEvent[]): Promise<readonly UsageEvent[]> {
  const subjects = new Set(events.flatMap(({ userId }) => (userId === null ? [] : `user:${userId}`)));
  if (subjects.size === 0) return events;
  const erased = await listErasures(deps.db, [...subjects]);
  return events.filter(({ userId, at }) => at > (erased.get(`user:${userId ?? ""}`) ?? -Infinity));
}

/** @returns how many were not there yet, or would be granted */
async function grantAll(
  deps: TransferDeps,
  targets: Pick<Targets, "idOf">,
  grants: readonly TakenGrant[],
  dryRun: boolean,
): Promise<number> {
  const placed = grants.flatMap((grant) => {
    const storeId = targets.idOf(grant.storeId);
    return storeId === null ? [] : { ...grant, storeId };
  });
  if (dryRun) return placed.length;
  const now = deps.now();
  return deps.db.transaction(async (tx) => {
    const granted = await addGrants(tx, placed, { by: "import", now });
    if (granted.length > 0) {
      const details = { granted: granted.length, permissions: granted.slice(0, mostAudited) };
      const act = { actor: "import", action: "permission.import", target: "vector_stores", details };
      await insertAudit(tx, { ...act, id: newId("audit_", now), at: now, address: null, requestId: null });
    }
    return granted.length;
  });
}
