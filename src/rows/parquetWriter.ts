import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { gzipSync } from "node:zlib";
import { fromNetworkOrder } from "../numbers/float32.js";
import type { TransferRow, TransferStore } from "../words/rows.js";
import { storesKey } from "./parquet.js";
import type { RowWriter } from "./rowWriter.js";
import { writeStoreLine } from "./storeLine.js";

/** Rows per row group, in files without vectors. */
const groupRows = 2000;
/**
 * Numbers per row group: 3 MB, or 500 vectors of 1,536 dimensions. The writer holds lists as arrays of levels and
 * values. With four times as many, an export takes 700 MB of memory instead of 430, and is neither faster nor smaller.
 */
const groupNumbers = 768_000;

const columns = (withVectors: boolean): SchemaElement[] => {
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" } as const;
  const time = { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" } as const;
  return [
    { name: "rows", num_children: withVectors ? 6 : 5 },
    { name: "id", ...text },
    { name: "vector_store_id", ...text },
    { name: "content", ...text },
    { name: "metadata", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
    { name: "created_at", type: "INT64", logical_type: time, repetition_type: "OPTIONAL" },
    ...(withVectors
      ? ([
          {
            name: "embedding",
            repetition_type: "OPTIONAL",
            num_children: 1,
            converted_type: "LIST",
            logical_type: { type: "LIST" },
          },
          { name: "list", repetition_type: "REPEATED", num_children: 1 },
          { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
        ] as const)
      : []),
  ];
};

/**
 * Writes rows as Parquet, one row group at a time. An embedding is a list of floats, uncompressed because compression
 * would save little. The key-value metadata describes the stores.
 */
export function createParquetWriter(put: (bytes: Buffer) => Promise<void>, withVectors: boolean): RowWriter {
  const bytes = new ByteWriter();
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: columns(withVectors),
    codec: "GZIP",
    compressors: { GZIP: (input) => gzipSync(input, { level: 3 }) },
    statistics: false,
    createdBy: "vector-store",
  });
  const stores = new Map<string, TransferStore>();
  let group: TransferRow[] = [];
  let numbers = 0;
  /** Passes on what is in the buffer. The writer keeps counting offsets in the file. */
  const flush = async () => {
    const written = Buffer.from(bytes.getBytes());
    bytes.index = 0;
    await put(written);
  };
  const writeGroup = async () => {
    if (group.length === 0) return;
    const rows = group;
    group = [];
    numbers = 0;
    await parquet.write({
      rowGroupSize: rows.length,
      columnData: [
        { name: "id", data: rows.map((row) => row.id ?? "") },
        { name: "vector_store_id", data: rows.map((row) => row.storeId ?? "") },
        { name: "content", data: rows.map((row) => row.content) },
        { name: "metadata", data: rows.map((row) => row.metadata) },
        { name: "created_at", data: rows.map((row) => (row.createdAt === null ? null : BigInt(row.createdAt))) },
        ...(withVectors
          ? [
              {
                name: "embedding",
                data: rows.map((row) => (row.vector === null ? null : Array.from(fromNetworkOrder(row.vector)))),
                codec: "UNCOMPRESSED" as const,
                encoding: "PLAIN" as const,
              },
            ]
          : []),
      ],
    });
    await flush();
  };
  return {
    write: async (store, rows) => {
      stores.set(store.id, store);
      for (const row of rows) {
        group.push(row);
        numbers += (row.vector?.length ?? 0) / 4;
        if (group.length === groupRows || numbers >= groupNumbers) await writeGroup();
      }
    },
    end: async () => {
      await writeGroup();
      parquet.kvMetadata = [{ key: storesKey, value: [...stores.values()].map(writeStoreLine).join("\n") }];
      await parquet.finish();
      await flush();
    },
  };
}
