import { sql } from "kysely";
import type { Db } from "../../db/connection/database.js";
import type { Hiding } from "./filterSql.js";

/**
 * Since the store's row was read its vectors have moved to another table, so that what was looked through was not all, or a file has
 * begun or ended to be hidden, or the store has expired. Read it again.
 */
export class StoreChanged extends Error {}

/** For a search that does not ask it along with its rows. @throws StoreChanged when other files are hidden now than the store's row said. */
export async function requireSameHidden(tx: Db, store: Hiding & { id: string }): Promise<void> {
  const { rows } = await sql`
    SELECT 1 FROM ${tx.layout.vectorStores.table} WHERE id = ${store.id} AND hidden_files <> ${[...store.hiddenFiles]}::text[]`.execute(
    tx.run,
  );
  if (rows.length > 0) throw new StoreChanged("files of the store were hidden or shown");
}
