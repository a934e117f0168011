import { sql } from "kysely";
import type { Db } from "../../db/database.js";
import type { PgvectorState } from "./state.js";

/**
 * The store's row is out of date: its vectors have moved to another table (so the search missed some), a file was
 * hidden or shown, or the store has expired.
 */
export class StoreChanged extends Error {}

/** For searches that do not check this in their own statement. @throws StoreChanged if other files are hidden now */
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
