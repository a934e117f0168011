import { writtenStoreId } from "../../db/tables/stores.js";
import type { Db } from "../../db/database.js";

/**
 * The id of a store as the database writes it: an adopted table may have UUIDs, which callers may send in capitals.
 * Whatever stores or compares an id must use this one. An id that no store can have comes back unchanged.
 */
export const writtenId = ({ db }: { db: Db }, id: string): string => writtenStoreId(db, id);

/** The same for several, each once. */
export const writtenIds = (deps: { db: Db }, ids: readonly string[]): string[] => [
  ...new Set(ids.map((id) => writtenId(deps, id))),
];
