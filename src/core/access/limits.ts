import type { Database } from "../../db/database.js";
import { deleteLimits, listLimits, putLimits, sumOwned } from "../../db/tables/limits.js";
import type { Owner } from "../../words/caller.js";
import { notFound } from "../../words/errors.js";
import type { LimitEntry, Limits } from "../../words/limit.js";
import { type Actor, record } from "./audit.js";
import { writtenId } from "../stores/writtenId.js";
import { type Limiter, partsOf } from "./limiter.js";

/** What users, teams, keys and vector stores may use; imported as `limits`. */

/** The part of `Deps` that the use cases below need. */
interface LimitDeps {
  db: Database;
  now: () => number;
  limiter: Limiter;
}

/** A page of the limits that administrators have set. */
export const list = (
  deps: Pick<LimitDeps, "db">,
  { limit, after, subject }: { limit: number; after: string | null; subject: string | null },
): Promise<{ entries: LimitEntry[]; hasMore: boolean }> =>
  listLimits(deps.db, {
    limit,
    after: after === null ? null : written(deps, after),
    subject: subject === null ? null : written(deps, subject),
  });

/** The subject whose store's id is as the database writes it: requests are counted for that one. */
const written = (deps: Pick<LimitDeps, "db">, subject: string): string =>
  subject.startsWith(ofStore) ? ofStore + writtenId(deps, subject.slice(ofStore.length)) : subject;
const ofStore = "store:";

/** Sets a subject's limits, in the place of those before. Others' replicas notice within 5 s. */
export async function put(deps: LimitDeps, actor: Actor, whose: string, given: Partial<Limits>): Promise<LimitEntry> {
  const subject = written(deps, whose);
  const entry: LimitEntry = { subject, limits: given, setAt: deps.now(), setBy: actor.name };
  await deps.db.transaction(async (tx) => {
    await putLimits(tx, entry);
    await record(tx, actor, entry.setAt, { action: "limits.set", target: subject, details: { ...given } });
  });
  deps.limiter.forget();
  return entry;
}

/** Leaves a subject the settings' limits. @throws ApiError 404 if none were set */
export async function remove(deps: LimitDeps, actor: Actor, whose: string): Promise<void> {
  const subject = written(deps, whose);
  await deps.db.transaction(async (tx) => {
    if (!(await deleteLimits(tx, subject)) && !(await deleteLimits(tx, whose)))
      throw notFound("limits", subject.slice(0, 300), "subject");
    await record(tx, actor, deps.now(), { action: "limits.remove", target: subject, details: {} });
  });
  deps.limiter.forget();
}

/** A subject's limits, and what it uses of them. */
export interface Allowance {
  subject: string;
  limits: Limits;
  used: { vectorStores: number; bytes: number };
}

/** The limits that hold for what belongs to a caller: of the user, the team or the key. */
export async function own(deps: Pick<LimitDeps, "db" | "limiter">, owner: Owner): Promise<Allowance[]> {
  return Promise.all(
    partsOf(owner).map(async ([subject, part]) => ({
      subject,
      limits: await deps.limiter.of(subject),
      used: await sumOwned(deps.db, part),
    })),
  );
}
