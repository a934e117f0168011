import type { ChunkIds } from "../../engines/engine.js";
import type { TransferRow } from "../../words/rows.js";

/**
 * The id of an imported row: its own, if the engine accepts it; otherwise one derived from the row, so that it is the
 * same in every run and a repeated import recognises the row.
 */
export function rowId(row: TransferRow, prefix: string, into: { ids: ChunkIds; storeId: string }): string {
  const given = row.id === null ? "" : prefix + row.id;
  const own = row.id === null || given === "" || !given.isWellFormed() ? null : into.ids.read(given);
  if (own !== null) return own;
  // The store is part of the id: the same row in two stores is two rows.
  const unnamed = row.id === null ? [row.key, row.content] : ["", ""];
  return into.ids.derived([into.storeId, prefix, row.id ?? "", ...unnamed]);
}
