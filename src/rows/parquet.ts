import { type FileMetaData, type SchemaTree, parquetMetadataAsync, parquetSchema } from "hyparquet";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { assembleAsync, asyncGroupToRows } from "hyparquet/src/rowgroup.js";
import { getTreePath } from "hyparquet/src/schema.js";
import type { ParquetParsers } from "hyparquet/src/types.js";
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { ApiError, invalid } from "../words/errors.js";
import { ExactNumber } from "../words/exactJson.js";
import { type TransferPage, type TransferRow, type TransferStore, pageLimits } from "../words/rows.js";
import { vectorOfText } from "./csv.js";
import {
  type FileColumns,
  checkedVector,
  contentValue,
  momentValue,
  textValue,
  vectorOf,
  withKeys,
} from "./rowColumns.js";
import { fieldsOf } from "./jsonFields.js";
import { readBytes, readColumnRows } from "./parquetColumn.js";
import { parseStoreLine } from "./storeLine.js";

/** A timestamp of a column, in microseconds like in the database. */
class Moment {
  constructor(readonly micros: number) {}
}

/** Keeps U+FEFF at the beginning of a text: it is a byte order mark only at the beginning of a file. */
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decode = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : text.decode(bytes));

const parsers: ParquetParsers = {
  ...DEFAULT_PARSERS,
  timestampFromMilliseconds: (millis) => new Moment(Number(millis) * 1000),
  timestampFromMicroseconds: (micros) => new Moment(Number(micros)),
  timestampFromNanoseconds: (nanos) => new Moment(Number(nanos / 1000n)),
  dateFromDays: (days) => new Moment(days * 86_400e6),
  stringFromBytes: decode,
  // As text, because its numbers may be larger than JavaScript's.
  jsonFromBytes: decode,
};

/** The key-value metadata that describes the stores of an export: one line per store, as in NDJSON. */
export const storesKey = "vector_stores";

const position = z.object({ group: z.int(), row: z.int() });

const rowsAtOnce = 250;

/**
 * Reads a Parquet file, a few pages of each column at a time. An embedding is a list of numbers, or the bytes of
 * float32 numbers, little-endian. Metadata is JSON text, a struct or a map.
 * @param name the file's name, for messages and for the ids of rows without one
 * @param after the position of an earlier page; null to begin
 * @throws ApiError 400 naming the row, or for a file that is not Parquet
 */
export async function* readParquet(
  path: string,
  name: string,
  columns: FileColumns,
  after: unknown,
): AsyncGenerator<TransferPage> {
  const begin = after === null ? null : position.parse(after);
  const file = await open(path);
  try {
    const metadata = await readMetadata(file);
    const schema = selectColumns(parquetSchema(metadata), name, columns);
    const stores = storesOf(metadata, name);
    let page = { stores, rows: [] as TransferRow[], bytes: 0 };
    if (stores.length > 0) yield { stores, rows: [], position: after, done: 0 };
    page.stores = [];
    let number = 0;
    for (const [group, { num_rows, columns: chunks, total_byte_size }] of metadata.row_groups.entries()) {
      const skip = begin === null || group > begin.group ? 0 : group < begin.group ? Infinity : begin.row;
      const before = metadata.row_groups.slice(0, group).reduce((sum, each) => sum + Number(each.total_byte_size), 0);
      if (skip >= Number(num_rows)) {
        number += Number(num_rows);
        continue;
      }
      let row = 0;
      for await (const values of readGroup(
        file,
        chunks.flatMap((chunk) => chunk.meta_data ?? []),
        schema,
      )) {
        row += 1;
        number += 1;
        if (row <= skip) continue;
        const read = rowOf(values, `row ${number} of ${name}`, `${name}:${number}`, columns);
        page.rows.push(read);
        page.bytes += read.content.length + (read.vector?.length ?? 0);
        if (page.rows.length < pageLimits.rows && page.bytes < pageLimits.bytes) continue;
        const done = before + Math.floor((Number(total_byte_size) * row) / Number(num_rows));
        yield { stores: [], rows: page.rows, position: { group, row }, done };
        page = { stores: [], rows: [], bytes: 0 };
      }
      if (page.rows.length > 0)
        yield { stores: [], rows: page.rows, position: { group, row }, done: before + Number(total_byte_size) };
      page = { stores: [], rows: [], bytes: 0 };
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalid(name, `is not a readable Parquet file: ${(error as Error).message}`);
  } finally {
    await file.close();
  }
}

/** The uncompressed bytes of all row groups: the total of `done`. @throws ApiError 400 */
export async function parquetSize(path: string, name: string): Promise<number> {
  const file = await open(path);
  try {
    return (await readMetadata(file)).row_groups.reduce((sum, each) => sum + Number(each.total_byte_size), 0);
  } catch (error) {
    throw invalid(name, `is not a readable Parquet file: ${(error as Error).message}`);
  } finally {
    await file.close();
  }
}

async function readMetadata(file: FileHandle): Promise<FileMetaData> {
  const { size } = await file.stat();
  const slice = async (start: number, end = size) => {
    const bytes = await readBytes(file, start, end - start);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  };
  if (size < 12) throw new Error("the file ends too early");
  // Statistics may contain bytes that are not text.
  const statistics = { ...parsers, stringFromBytes: (bytes: Uint8Array) => bytes };
  return parquetMetadataAsync({ byteLength: size, slice }, { parsers: statistics, geoparquet: false });
}

/** The columns to read. @throws ApiError 400 naming the flag of a required or requested column that is missing */
function selectColumns(schema: SchemaTree, name: string, columns: FileColumns): SchemaTree {
  const names = schema.children.map((child) => child.element.name);
  for (const [wanted, flag] of [
    [columns.content, "--content-column"],
    ...columns.metadataColumns.map((each) => [each, "--metadata-columns"] as const),
  ] as const) {
    if (!names.includes(wanted))
      throw invalid(flag, `${name} has no column "${wanted}" (it has: ${names.join(", ").slice(0, 500)})`);
  }
  const read = [columns.id, columns.content, columns.embedding, columns.metadata, columns.createdAt, columns.store];
  return {
    ...schema,
    children: schema.children.filter(({ element }) => [...read, ...columns.metadataColumns].includes(element.name)),
  };
}

type Chunks = NonNullable<FileMetaData["row_groups"][number]["columns"][number]["meta_data"]>[];

async function* readGroup(
  file: FileHandle,
  chunks: Chunks,
  schema: SchemaTree,
): AsyncGenerator<Record<string, unknown>> {
  const names = schema.children.map((child) => child.element.name);
  const leaves = chunks
    .filter((chunk) => names.includes(chunk.path_in_schema[0] ?? ""))
    .map((metadata) => ({
      pathInSchema: metadata.path_in_schema,
      rows: readColumnRows(file, { metadata, schemaPath: getTreePath(schema, metadata.path_in_schema) }, parsers),
      ready: [] as unknown[],
    }));
  for (;;) {
    for (const leaf of leaves) {
      while (leaf.ready.length < rowsAtOnce) {
        const next = await leaf.rows.next();
        if (next.done === true) break;
        leaf.ready = leaf.ready.length === 0 ? next.value : leaf.ready.concat(next.value);
      }
    }
    const count = Math.min(rowsAtOnce, ...leaves.map((leaf) => leaf.ready.length));
    if (count === 0) {
      if (leaves.some((leaf) => leaf.ready.length > 0)) throw new Error("its columns have different numbers of rows");
      return;
    }
    const selection = { groupStart: 0, groupRows: count, selectStart: 0, selectEnd: count };
    const asyncColumns = leaves.map(({ pathInSchema, ready }) => ({
      pathInSchema,
      data: Promise.resolve({ data: [ready.slice(0, count)], skipped: 0 }),
    }));
    for (const leaf of leaves) leaf.ready = leaf.ready.slice(count);
    const assembled = assembleAsync({ ...selection, asyncColumns }, schema, parsers);
    yield* (await asyncGroupToRows(assembled, 0, count, undefined, "object")) as Record<string, unknown>[];
  }
}

function storesOf(metadata: FileMetaData, name: string): TransferStore[] {
  const told = metadata.key_value_metadata?.find(({ key }) => key === storesKey)?.value;
  const lines = (told ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const bytes = Buffer.from(line);
    return parseStoreLine(fieldsOf(bytes), bytes, name);
  });
}

function rowOf(values: Record<string, unknown>, at: string, key: string, columns: FileColumns): TransferRow {
  const plain = (name: string) => (values[name] instanceof Uint8Array ? decode(values[name]) : values[name]);
  const moment = values[columns.createdAt];
  const further = columns.metadataColumns.flatMap((name) => {
    const json = jsonOf(plain(name));
    return json === "null" ? [] : [[name, json] as const];
  });
  const metadata = plain(columns.metadata);
  return {
    at,
    key,
    id: textValue(plain(columns.id), at, columns.id),
    storeId: textValue(plain(columns.store), at, columns.store),
    content: contentValue(plain(columns.content), at, columns.content),
    metadata: withKeys(metadata == null ? null : typeof metadata === "string" ? metadata : jsonOf(metadata), further),
    vector: vectorValue(values[columns.embedding], at, columns.embedding),
    createdAt: moment instanceof Moment ? moment.micros : momentValue(plain(columns.createdAt), at, columns.createdAt),
  };
}

function vectorValue(value: unknown, at: string, name: string): Buffer | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return vectorOfText(value, at, name);
  if (value instanceof Uint8Array) {
    if (value.length % 4 !== 0)
      throw invalid(at, `"${name}" has ${value.length} bytes, which is not a number of float32 values`);
    // Copied, because a Float32Array must begin at a multiple of 4.
    return checkedVector(new Float32Array(Uint8Array.from(value).buffer), at, name);
  }
  if (Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array)
    return vectorOf(value, at, name);
  throw invalid(at, `"${name}" is not a list of numbers`);
}

/** The value of a column as JSON text. */
function jsonOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint" || value instanceof ExactNumber) return value.toString();
  if (value instanceof Moment) return JSON.stringify(new Date(value.micros / 1000).toISOString());
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("base64"));
  if (ArrayBuffer.isView(value)) return JSON.stringify(Array.from(value as unknown as ArrayLike<number>));
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, each]) => `${JSON.stringify(name)}:${jsonOf(each)}`)
    .join(",")}}`;
}
