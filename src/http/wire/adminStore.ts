import { z } from "zod";
import type { AllStores, AllStoresPage } from "../../core/access/allStores.js";
import type { Deps } from "../../core/deps.js";
import { writtenId } from "../../core/stores/writtenId.js";
import type { Holder } from "../../words/holder.js";
import { type StoreFilter, type StorePlace, storeSorts } from "../../words/storeListing.js";
import { plainText, queryInteger } from "./common.js";
import { notOurs, pageField, readToken, writeToken } from "./pageToken.js";
import { presentStore, storeAnswer } from "./vectorStore.js";

export const allStoresQuery = z.object({
  limit: queryInteger(1, 100, 20),
  sort: z.enum(storeSorts).default("created_at").describe("what the vector stores are sorted by"),
  order: z.enum(["asc", "desc"]).default("desc").describe("`asc`: the smallest, oldest or first comes first"),
  name: plainText(256).optional().describe("only vector stores whose name contains this text, in upper or lower case"),
  id: plainText(64).optional().describe("only the vector store with this id"),
  owner: plainText(265)
    .optional()
    .refine((value) => value === undefined || /^(none$|(user|team|key):.)/s.test(value), {
      message: 'expected "user:ID", "team:ID", "key:ID" or "none"',
    })
    .describe("only those of `user:ID`, `team:ID` or `key:ID`; `none`: those of the service itself"),
  page: pageField.describe("`next_page` of the page before, with the same sort and order"),
});

const adminStoreAnswer = storeAnswer
  .extend({
    owner: z
      .object({ user_id: z.string().nullable(), team_id: z.string().nullable(), key_id: z.string().nullable() })
      .describe("whose it is; all null: the service's own"),
    rows: z.int(),
    bytes: z.int().describe("the same as `usage_bytes`"),
  })
  .meta({ id: "AdminVectorStore" });

export const allStoresAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(adminStoreAnswer),
    has_more: z.boolean(),
    next_page: z.string().nullable(),
    totals: z
      .object({ stores: z.int(), rows: z.int(), bytes: z.int() })
      .nullable()
      .describe("of all vector stores that match, with the first page; null with the others"),
  })
  .meta({ id: "AdminVectorStoreList" });

/** `user:ID`, `team:ID` or `key:ID`. */
export function readHolder(text: string): Holder {
  const colon = text.indexOf(":");
  return { kind: text.slice(0, colon) as Holder["kind"], id: text.slice(colon + 1) };
}

/** @throws ApiError 400 for a page that is not of this sort and order */
export function readAllStores(
  deps: Deps,
  query: z.output<typeof allStoresQuery>,
): { filter: StoreFilter; page: AllStoresPage } {
  const { id, name = null, owner, page, sort, order, limit } = query;
  return {
    filter: {
      id: id === undefined ? null : writtenId(deps, id),
      name,
      owner: owner === undefined ? null : owner === "none" ? owner : readHolder(owner),
    },
    page: { sort, order, limit, after: page === undefined ? null : readPlace(page, sort, order) },
  };
}

function readPlace(page: string, sort: string, order: string): StorePlace {
  const [value = null, id] = readToken(page, [sort, order], 2);
  if (id == null) throw notOurs();
  return { value, id };
}

export function presentAllStores(
  { stores, next, totals }: AllStores,
  { sort, order }: AllStoresPage,
  now: number,
): z.input<typeof allStoresAnswer> {
  return {
    object: "list",
    data: stores.map((store) => ({
      ...presentStore(store, now),
      owner: { user_id: store.ownerUserId, team_id: store.ownerTeamId, key_id: store.ownerKeyId },
      rows: store.chunkCount,
      bytes: store.contentBytes,
    })),
    has_more: next !== null,
    next_page: next === null ? null : writeToken([sort, order], [next.value, next.id]),
    totals,
  };
}
