import { sql } from "kysely";
import type { Db } from "../../db/database.js";
import type { PgvectorState } from "./state.js";

/**
 * The store's row was read too long ago: its vectors have moved to another table, so that not all of them were searched, or a file has
 * been hidden or shown, or the store has expired.
 */
export class StoreChanged extends Error {}

/** For a search that does not ask this in its own statement. @throws StoreChanged when other files are hidden now */
export async function requireSameHidden(
  tx: Db,
  storeId: string,
  { hiddenFiles }: Pick<PgvectorState, "hiddenFiles">,
): Promise<void> {
  const { rows } = await sql`
    SELECT 1 FROM ${tx.layout.vectorStores.table} WHERE id = ${storeId} AND hidden_files <> ${hiddenFiles}::text[]`.execute(
    tx.run,
  );
  if (rows.length > 0) throw new StoreChanged("files of the store were hidden or shown");
}
