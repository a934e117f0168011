import { CsvError, parse } from "csv-parse";
import { Readable, pipeline } from "node:stream";
import { z } from "zod";
import { ApiError, invalid } from "../words/errors.js";
import { readFloats } from "../numbers/floatArray.js";
import { type TransferPage, type TransferRow, pageLimits, sizeOfRow } from "../words/rows.js";
import {
  type FileColumns,
  checkedVector,
  contentValue,
  momentValue,
  vectorFromBase64,
  vectorOf,
  withKeys,
} from "./rowColumns.js";

/** Bytes of one row. An embedding of 16,000 numbers takes 350 KB, and content may have 10 million characters. */
const largestRecord = 64 * 1024 * 1024;

/** The names of the columns, the number of rows read, and the offset of the next row. */
const position = z.object({ header: z.array(z.string()), row: z.int(), offset: z.int() });

interface Parsed {
  record: string[];
  /** Bytes and lines up to the end of the record. */
  info: { bytes: number; lines: number };
}

/**
 * Reads CSV (RFC 4180, UTF-8) whose first row names the columns. An empty cell counts as missing. An embedding is a
 * JSON array or base64. Metadata is JSON; further columns become keys of it, as strings.
 * @param open the bytes from an offset on
 * @param name the file's name, for messages and for the ids of rows without one
 * @param after the position of an earlier page; null to begin
 * @throws ApiError 400 naming the row
 */
export async function* readCsv(
  open: (offset: number) => AsyncIterable<Buffer>,
  name: string,
  { columns, delimiter }: { columns: FileColumns; delimiter: string },
  after: unknown,
): AsyncGenerator<TransferPage> {
  const begin = after === null ? null : position.parse(after);
  let header = begin?.header ?? null;
  let number = begin?.row ?? 0;
  const from = begin?.offset ?? 0;
  let rows: TransferRow[] = [];
  let bytes = 0;
  let offset = from;
  const parser = parse({
    delimiter,
    bom: from === 0,
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: largestRecord,
    skip_empty_lines: true,
    relax_column_count: true,
    info: true,
  });
  // Errors of the source and the parser both reach the loop through the parser.
  pipeline(Readable.from(checkedUtf8(open(from), name)), parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      offset = from + info.bytes;
      if (header === null) {
        header = headerOf(record, name, columns);
        continue;
      }
      number += 1;
      const row = rowOf(header, record, `row ${number} of ${name}`, `${name}:${number}`, columns);
      rows.push(row);
      bytes += sizeOfRow(row);
      if (rows.length < pageLimits.rows && bytes < pageLimits.bytes) continue;
      yield { stores: [], rows, position: { header, row: number, offset }, done: offset };
      rows = [];
      bytes = 0;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw invalid(`row ${number + 1} of ${name}`, `cannot be read: ${error.message}`);
  }
  if (rows.length > 0) yield { stores: [], rows, position: { header, row: number, offset }, done: offset };
}

/** Passes bytes on. @throws ApiError 400 if they are not UTF-8: the parser would replace them silently */
async function* checkedUtf8(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of chunks) {
    try {
      decoder.decode(chunk, { stream: true });
    } catch {
      throw invalid(name, "is not valid UTF-8");
    }
    yield chunk;
  }
}

/** @throws ApiError 400 if a required or requested column is missing */
function headerOf(record: readonly string[], name: string, columns: FileColumns): string[] {
  const header = record.map((cell) => cell.trim());
  for (const [wanted, flag] of [
    [columns.content, "--content-column"],
    ...columns.metadataColumns.map((each) => [each, "--metadata-columns"] as const),
  ] as const) {
    if (!header.includes(wanted))
      throw invalid(flag, `${name} has no column "${wanted}" (its first row has: ${header.join(", ").slice(0, 500)})`);
  }
  return header;
}

function rowOf(
  header: readonly string[],
  record: readonly string[],
  at: string,
  key: string,
  columns: FileColumns,
): TransferRow {
  if (record.length !== header.length)
    throw invalid(at, `has ${record.length} columns, but the first row has ${header.length}`);
  const cell = (name: string): string | null => {
    const found = record[header.indexOf(name)] ?? "";
    return found === "" ? null : found;
  };
  const further = columns.metadataColumns.flatMap((name) => {
    const value = cell(name);
    return value === null ? [] : [[name, JSON.stringify(value)] as const];
  });
  return {
    at,
    key,
    id: cell(columns.id),
    storeId: cell(columns.store),
    content: contentValue(record[header.indexOf(columns.content)], at, columns.content),
    metadata: withKeys(cell(columns.metadata), further),
    vector: vectorOfText(cell(columns.embedding), at, columns.embedding),
    createdAt: momentValue(cell(columns.createdAt), at, columns.createdAt),
  };
}

/** A vector from a JSON array (pgvector's text form is one) or base64. @throws ApiError 400 */
export function vectorOfText(text: string | null, at: string, name: string): Buffer | null {
  if (text === null) return null;
  const trimmed = text.trim();
  if (!trimmed.startsWith("[")) return vectorFromBase64(trimmed, at, name);
  const bytes = Buffer.from(trimmed);
  const read = readFloats(bytes, 0);
  if (read?.end === bytes.length) return checkedVector(read.vector, at, name);
  try {
    return vectorOf(JSON.parse(trimmed) as unknown[], at, name);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalid(at, `"${name}" is not an array of numbers`);
  }
}
