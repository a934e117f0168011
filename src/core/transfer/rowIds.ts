import type { ChunkIds } from "../../engines/engine.js";
import type { TransferRow } from "../../words/rows.js";

/**
 * The id that a row of a source gets: its own, if the engine can hold it; otherwise one derived from the row, the same in every run, so that
 * a row that is imported again is the same row.
 */
export function rowId(row: TransferRow, prefix: string, into: { ids: ChunkIds; storeId: string }): string {
  const given = row.id === null ? "" : prefix + row.id;
  const own = row.id === null || given === "" || !given.isWellFormed() ? null : into.ids.read(given);
  if (own !== null) return own;
  // The same row in two stores is two rows.
  const unnamed = row.id === null ? [row.key, row.content] : ["", ""];
  return into.ids.derived([into.storeId, prefix, row.id ?? "", ...unnamed]);
}
