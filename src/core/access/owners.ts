import {
  type Heir,
  deleteGrantsOf,
  deleteUsageOf,
  endShares,
  expireFilesOf,
  forgetPayer,
  giveAll,
  lockOwnedStores,
  passGrantsOn,
} from "../../db/tables/handOver.js";
import {
  type GivenPermission,
  type Owned,
  type OwnedFile,
  type OwnedStore,
  listGivenPermissions,
  listOwnedFiles,
  listOwnedStores,
  sumOwnedUsage,
} from "../../db/tables/ownedThings.js";
import { deleteLimits } from "../../db/tables/limits.js";
import { deleteSessionsOf } from "../../db/tables/sessions.js";
import { markLeaving } from "../../db/tables/stores.js";
import { invalid } from "../../words/errors.js";
import { type Holder, holderName } from "../../words/holder.js";
import type { UsageSums } from "../../words/usage.js";
import type { Deps } from "../deps.js";
import * as stores from "../stores/stores.js";
import { type Actor, audited, record } from "./audit.js";
import { isInLitellm } from "./people.js";

/** What belongs to users, teams and keys, above all to those that LiteLLM no longer has; imported as `owners`. */

export type { Heir };

export interface Estate {
  holder: Holder;
  /** Null: LiteLLM could not be asked. */
  inLitellm: boolean | null;
  stores: Owned<OwnedStore>;
  files: Owned<OwnedFile>;
  permissions: { count: number; first: GivenPermission[] };
  usage: UsageSums & { firstDay: string | null; lastDay: string | null };
}

/** Of each kind of thing, so many are named. */
const mostNamed = 100;

/** What somebody has here. @returns also why LiteLLM could not be asked about it; null: it was */
export async function describe(deps: Deps, holder: Holder): Promise<{ estate: Estate; problem: string | null }> {
  const { db } = deps;
  await deps.usage.flush();
  const { inLitellm, problem } = await isInLitellm(deps, holder.kind, holder.id);
  const estate = {
    holder,
    inLitellm,
    stores: await listOwnedStores(db, holder, mostNamed),
    files: await listOwnedFiles(db, holder, deps.now(), mostNamed),
    permissions: await listGivenPermissions(db, holderName(holder), mostNamed),
    usage: await sumOwnedUsage(db, holder),
  };
  return { estate, problem };
}

export interface HandedOver {
  stores: number;
  files: number;
  permissions: number;
}

/**
 * Gives everything that somebody has to a user or a team, who need not be known to LiteLLM yet. What was used stays
 * with who used it.
 * @throws ApiError 400 for the same one
 */
export async function transfer(deps: Deps, actor: Actor, from: Holder, to: Heir): Promise<HandedOver> {
  const [source, target] = [holderName(from), holderName(to)];
  if (source === target) throw invalid("to", "already has it");
  const { storeIds, ...moved } = await deps.db.transaction(async (tx) => {
    const given = await giveAll(tx, from, to);
    const permissions = await passGrantsOn(tx, source, target);
    const details = { to: target, ...audited(given.storeIds), files: given.files, permissions };
    await record(tx, actor, deps.now(), { action: "owner.transfer", target: source, details });
    return { ...given, permissions };
  });
  for (const id of storeIds) stores.forget(deps, id);
  return { stores: storeIds.length, ...moved };
}

export interface Erased extends HandedOver {
  requests: number;
  sessions: number;
}

/**
 * Removes everything that somebody has: stores, files, permissions, usage, limits, sessions. They are gone at once;
 * their rows and bytes are removed by the sweep, which goes on after a crash. What the audit log says of it stays.
 */
export async function erase(deps: Deps, actor: Actor, holder: Holder): Promise<Erased> {
  const subject = holderName(holder);
  await deps.usage.flush();
  await forgetPayer(deps.db, holder);
  const { storeIds, changed, ...erased } = await deps.db.transaction(async (tx) => {
    const owned = await lockOwnedStores(tx, holder);
    await markLeaving(tx, owned);
    const shared = holder.kind === "team" ? await endShares(tx, holder.id) : [];
    const files = await expireFilesOf(tx, holder, deps.now());
    const permissions = await deleteGrantsOf(tx, subject);
    const requests = await deleteUsageOf(tx, holder);
    await deleteLimits(tx, subject);
    const sessions = await deleteSessionsOf(tx, subject);
    const details = { ...audited(owned), files, permissions, requests, sessions };
    await record(tx, actor, deps.now(), { action: "owner.erase", target: subject, details });
    return { storeIds: owned, changed: [...owned, ...shared], files, permissions, requests, sessions };
  });
  for (const id of changed) stores.forget(deps, id);
  deps.limiter.forget();
  deps.wakeSweep();
  return { stores: storeIds.length, ...erased };
}
