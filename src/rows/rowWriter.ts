import { encodeBase64Floats, fromNetworkOrder } from "../numbers/float32.js";
import type { TransferRow, TransferStore } from "../words/rows.js";
import { writeStoreLine } from "./storeLine.js";

export const vectorForms = ["base64", "numbers", "none"] as const;
export type VectorText = (typeof vectorForms)[number];

/** Writes rows and their stores in one file format. */
export interface RowWriter {
  /** @param store the rows' store, which is described in the file too */
  write(store: TransferStore, rows: readonly TransferRow[]): Promise<void>;
  /** Writes the end of the format. */
  end(): Promise<void>;
}

/** A row as a line of NDJSON, named like the API's fields. Metadata keeps the text of its numbers. */
function writeRowLine(row: TransferRow, vectors: VectorText): string {
  const parts = [
    `"id":${JSON.stringify(row.id)}`,
    `"vector_store_id":${JSON.stringify(row.storeId)}`,
    `"content":${JSON.stringify(row.content)}`,
    `"metadata":${row.metadata ?? "null"}`,
    `"created_at":${row.createdAt === null ? "null" : String(row.createdAt / 1e6)}`,
  ];
  if (vectors !== "none" && row.vector !== null) {
    const vector = fromNetworkOrder(row.vector);
    parts.push(`"embedding":${vectors === "base64" ? `"${encodeBase64Floats(vector)}"` : `[${vector.join(",")}]`}`);
  }
  return `{${parts.join(",")}}\n`;
}

/**
 * Writes rows as NDJSON. A line that describes a store precedes its first rows, unless `rowsOnly`.
 * @param told ids of stores that the file already describes
 */
export function createNdjsonWriter(
  put: (text: string) => Promise<void>,
  { vectors, rowsOnly, told }: { vectors: VectorText; rowsOnly: boolean; told: ReadonlySet<string> },
): RowWriter {
  const known = new Set(told);
  return {
    write: async (store, rows) => {
      let text = "";
      if (!rowsOnly && !known.has(store.id)) text += `${writeStoreLine(store)}\n`;
      known.add(store.id);
      for (const row of rows) text += writeRowLine(row, vectors);
      if (text !== "") await put(text);
    },
    end: () => Promise.resolve(),
  };
}
