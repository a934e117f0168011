import { listKnown, sumHoldings, sumUsageSince } from "../../db/tables/holdings.js";
import type { LitellmTeam, LitellmUser, Listing, Management } from "../../litellm/managementContract.js";
import { ApiError, notFound } from "../../words/errors.js";
import type { Holdings } from "../../words/holder.js";
import { type UsageSums, noUsage } from "../../words/usage.js";
import type { Deps } from "../deps.js";
import { requireManagement } from "./management.js";

/** LiteLLM's users and teams, and those that are only known here; imported as `people`. */

export type { LitellmTeam, LitellmUser };

/** Users or teams. */
export interface Kind<T> {
  readonly name: "user" | "team";
  readonly of: (management: Management) => Listing<T, { search: string | null }>;
}
export const users: Kind<LitellmUser> = { name: "user", of: (management) => management.users };
export const teams: Kind<LitellmTeam> = { name: "team", of: (management) => management.teams };

export interface Person<T> {
  id: string;
  /** Null: LiteLLM has none with this id, or could not be asked. */
  litellm: T | null;
  /** Null: it could not be asked. */
  inLitellm: boolean | null;
  holdings: Holdings;
  /** Of the last `usageDays` days. */
  usage: UsageSums;
}

export interface PeoplePage<T> {
  people: Person<T>[];
  /** How many LiteLLM has; null: of those that are known here, which nobody counts. */
  total: number | null;
  /** Where the next page begins: the number of LiteLLM's page, or the id before it. Null: this is the last one. */
  next: string | null;
  /** Why LiteLLM could not be asked; null: it was. */
  problem: string | null;
}

/** The days of usage that are shown with users and teams. */
export const usageDays = 30;
const dayMs = 86_400_000;

/** One page of LiteLLM's own, in the order of their ids. @throws ApiError 409, 503 as `Management` */
export async function listLitellm<T extends { readonly id: string }>(
  deps: Deps,
  kind: Kind<T>,
  asked: { page: number; limit: number; search: string | null },
): Promise<PeoplePage<T>> {
  const { items, total } = await kind.of(requireManagement(deps)).page(asked);
  const found = items.map((item) => ({ id: item.id, litellm: item, inLitellm: true }));
  const next = asked.page * asked.limit < total && items.length > 0 ? String(asked.page + 1) : null;
  return { people: await withHoldings(deps, kind, found), total, next, problem: null };
}

/** One page of those that own, may use or have used something here, whether or not LiteLLM has them. */
export async function listKnownHere<T>(
  deps: Deps,
  kind: Kind<T>,
  { after, limit }: { after: string; limit: number },
): Promise<PeoplePage<T>> {
  const ids = await listKnown(deps.db, kind.name, { after, limit: limit + 1 });
  const shown = ids.slice(0, limit);
  const { found, problem } = await findAtLitellm(deps, kind, shown);
  const next = ids.length > limit ? (shown.at(-1) ?? null) : null;
  return { people: await withHoldings(deps, kind, found), total: null, next, problem };
}

/** These, in their order, whether or not they are known here or LiteLLM has them. */
export async function listThese<T>(deps: Deps, kind: Kind<T>, ids: readonly string[]): Promise<PeoplePage<T>> {
  const { found, problem } = await findAtLitellm(deps, kind, ids);
  return { people: await withHoldings(deps, kind, found), total: null, next: null, problem };
}

/** Lookups at LiteLLM for one page of those that it no longer has, and how many of them at the same time. */
const mostLookups = 200;
const lookupsAtOnce = 20;

/**
 * One page of those that own or may use something here and that LiteLLM does not have. As it can only be asked for one
 * after the other, a page may hold fewer than `limit`, even none, and still have a next one.
 * @throws ApiError 409, 503 as `Management`
 */
export async function listGone<T>(
  deps: Deps,
  kind: Kind<T>,
  { after, limit }: { after: string; limit: number },
): Promise<PeoplePage<T>> {
  const listing = kind.of(requireManagement(deps));
  const gone: string[] = [];
  let last = after;
  let more = true;
  for (let looked = 0; more && looked < mostLookups && gone.length <= limit; looked += lookupsAtOnce) {
    const ids = await listKnown(deps.db, kind.name, { after: last, limit: lookupsAtOnce, having: true });
    const found = await Promise.all(ids.map((id) => listing.find(id)));
    gone.push(...ids.filter((_, place) => found[place] === null));
    last = ids.at(-1) ?? last;
    more = ids.length === lookupsAtOnce;
  }
  const shown = gone.slice(0, limit);
  const next = gone.length > limit ? (shown.at(-1) ?? null) : more ? last : null;
  const found = shown.map((id) => ({ id, litellm: null, inLitellm: false }));
  return { people: await withHoldings(deps, kind, found), total: null, next, problem: null };
}

/**
 * One user or team. While LiteLLM cannot be asked, only those that are known here are found.
 * @throws ApiError 404; 409 or 503 if it is unknown here and LiteLLM cannot be asked
 */
export async function find<T>(
  deps: Deps,
  kind: Kind<T>,
  id: string,
): Promise<{ person: Person<T>; problem: string | null }> {
  const { found, problem, error } = await findAtLitellm(deps, kind, [id]);
  const [person] = await withHoldings(deps, kind, found);
  if (person === undefined) throw new Error("a question about one id has one answer");
  if (person.inLitellm !== true && !isKnown(person)) {
    throw error ?? notFound(kind.name, id.slice(0, 100), `${kind.name}_id`);
  }
  return { person, problem };
}

const isKnown = ({ holdings: { stores, files, permissions }, usage }: Person<unknown>) =>
  stores + files + permissions + usage.requests > 0;

interface Found<T> {
  id: string;
  litellm: T | null;
  inLitellm: boolean | null;
}

/** What LiteLLM says of these ids. If it cannot be asked, that is no reason to hide what is known here. */
async function findAtLitellm<T>(
  deps: Deps,
  kind: Kind<T>,
  ids: readonly string[],
): Promise<{ found: Found<T>[]; problem: string | null; error: ApiError | null }> {
  try {
    const listing = kind.of(requireManagement(deps));
    const found = await Promise.all(
      ids.map(async (id) => {
        const litellm = await listing.find(id);
        return { id, litellm, inLitellm: litellm !== null };
      }),
    );
    return { found, problem: null, error: null };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const found = ids.map((id) => ({ id, litellm: null, inLitellm: null }));
    return { found, problem: error.message, error };
  }
}

async function withHoldings<T>(deps: Deps, { name }: Kind<T>, found: readonly Found<T>[]): Promise<Person<T>[]> {
  const ids = found.map(({ id }) => id);
  const since = new Date(deps.now() - usageDays * dayMs).toISOString().slice(0, 10);
  const holdings = await sumHoldings(deps.db, name, ids, deps.now());
  const usage = await sumUsageSince(deps.db, name, ids, since);
  return found.map((each) => ({
    ...each,
    holdings: holdings.get(each.id) ?? { stores: 0, rows: 0, bytes: 0, files: 0, fileBytes: 0, permissions: 0 },
    usage: usage.get(each.id) ?? noUsage,
  }));
}

/** Whether LiteLLM has a user, a team or a key; null: it cannot be asked. */
export async function isInLitellm(
  deps: Deps,
  kind: "user" | "team" | "key",
  id: string,
): Promise<{ inLitellm: boolean | null; problem: string | null }> {
  const listing = { user: users.of, team: teams.of, key: ({ keys }: Management) => keys }[kind];
  try {
    const found = await listing(requireManagement(deps)).find(id);
    return { inLitellm: found !== null, problem: null };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { inLitellm: null, problem: error.message };
  }
}
