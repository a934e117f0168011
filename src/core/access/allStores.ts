import { isPlace, listAllStores, sumStores } from "../../db/tables/allStores.js";
import { type Caller, scopeOf } from "../../words/caller.js";
import { invalid } from "../../words/errors.js";
import type { StoreFilter, StorePlace, StoreSort, StoreTotals } from "../../words/storeListing.js";
import type { Deps } from "../deps.js";
import { type DetailedStore, withDetails } from "../stores/details.js";

/** All stores, for administrators; imported as `allStores`. */

export interface AllStoresPage {
  sort: StoreSort;
  order: "asc" | "desc";
  limit: number;
  after: StorePlace | null;
}

export interface AllStores {
  stores: DetailedStore[];
  /** Where the next page begins; null: this is the last one. */
  next: StorePlace | null;
  /** Of all stores that the filter chooses, with the first page only: counting reads them all. */
  totals: StoreTotals | null;
}

/** @throws ApiError 400 for a place that no page has told */
export async function list(deps: Deps, caller: Caller, filter: StoreFilter, page: AllStoresPage): Promise<AllStores> {
  const { after, sort } = page;
  if (after !== null && !isPlace(deps.db, sort, after)) throw invalid("page", "is not a next_page of an answer");
  const scope = scopeOf(caller, "read");
  const [{ stores, next }, totals] = await Promise.all([
    listAllStores(deps.db, scope, filter, page),
    after === null ? sumStores(deps.db, scope, filter) : null,
  ]);
  return { stores: await withDetails(deps, stores), next, totals };
}
