import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { ApiError, invalid } from "../words/errors.js";
import { parseExactJson } from "../words/exactJson.js";
import { afterSpace, readBase64, readFloats } from "../numbers/floatArray.js";
import { maxLineBytes, readLines } from "../numbers/lines.js";
import { type TransferPage, type TransferRow, type TransferStore, pageLimits } from "../words/rows.js";
import {
  type FileColumns,
  checkedVector,
  contentValue,
  momentValue,
  textValue,
  vectorFromBase64,
  vectorOf,
  withKeys,
} from "./rowColumns.js";
import { type Span, fieldsOf } from "./jsonFields.js";
import { parseStoreLine } from "./storeLine.js";

/** The number of lines read, and the offset of the next line. */
const position = z.object({ line: z.int(), offset: z.int() });

/**
 * Reads NDJSON: one row per line, and lines that describe a store (see storeLine.ts). Numbers in metadata keep their
 * text.
 * @param open the bytes from an offset on
 * @param name the file's name, for messages and for the ids of rows without one
 * @param after the position of an earlier page; null to begin
 * @throws ApiError 400 naming the line
 */
export async function* readNdjson(
  open: (offset: number) => AsyncIterable<Buffer>,
  name: string,
  columns: FileColumns,
  after: unknown,
): AsyncGenerator<TransferPage> {
  const begin = after === null ? { line: 0, offset: 0 } : position.parse(after);
  let page = emptyPage();
  const tooLong = (number: number) =>
    invalid(`line ${begin.line + number} of ${name}`, `is longer than ${maxLineBytes / 1024 / 1024} MB`);
  for await (const { bytes, number, end } of readLines(open(begin.offset), tooLong)) {
    const line = begin.line + number;
    const at = `line ${line} of ${name}`;
    if (afterSpace(bytes, 0) < bytes.length) {
      const read = parseLine(bytes, at, `${name}:${line}`, columns);
      if ("content" in read) page.rows.push(read);
      else page.stores.push(read);
      page.bytes += bytes.length;
    }
    if (page.rows.length >= pageLimits.rows || page.bytes >= pageLimits.bytes) {
      const reached = begin.offset + end;
      yield { stores: page.stores, rows: page.rows, position: { line, offset: reached }, done: reached };
      page = emptyPage();
    }
    page.reached = { line, offset: begin.offset + end };
  }
  if (page.rows.length > 0 || page.stores.length > 0)
    yield { stores: page.stores, rows: page.rows, position: page.reached, done: page.reached.offset };
}

const emptyPage = () => ({
  stores: [] as TransferStore[],
  rows: [] as TransferRow[],
  bytes: 0,
  reached: { line: 0, offset: 0 },
});

function parseLine(bytes: Buffer, at: string, key: string, columns: FileColumns): TransferRow | TransferStore {
  if (!isUtf8(bytes)) throw invalid(at, "is not valid UTF-8");
  try {
    const fields = fieldsOf(bytes);
    const value = (name: string): unknown => {
      const span = fields.get(name);
      return span === undefined ? undefined : parseExactJson(textOf(bytes, span));
    };
    if (value("object") === "vector_store") return parseStoreLine(fields, bytes, at);
    const further = columns.metadataColumns.flatMap((name) => {
      const span = fields.get(name);
      return span === undefined ? [] : [[name, textOf(bytes, span)] as const];
    });
    const metadata = fields.get(columns.metadata);
    return {
      at,
      key,
      id: textValue(value(columns.id), at, columns.id),
      storeId: textValue(value(columns.store), at, columns.store),
      content: contentValue(value(columns.content), at, columns.content),
      metadata: withKeys(metadata === undefined ? null : notNull(textOf(bytes, metadata)), further),
      vector: readVector(bytes, fields.get(columns.embedding), at, columns.embedding),
      createdAt: momentValue(value(columns.createdAt), at, columns.createdAt),
    };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalid(at, `is not a JSON object: ${(error as Error).message}`);
  }
}

const textOf = (bytes: Buffer, { start, end }: Span) => bytes.toString("utf8", start, end);
const notNull = (text: string) => (text === "null" ? null : text);

function readVector(bytes: Buffer, span: Span | undefined, at: string, name: string): Buffer | null {
  if (span === undefined) return null;
  const first = bytes[span.start];
  const read = first === 0x5b ? readFloats(bytes, span.start) : first === 0x22 ? readBase64(bytes, span.start) : null;
  if (read !== null && read.end === span.end) return checkedVector(read.vector, at, name);
  const value: unknown = JSON.parse(textOf(bytes, span));
  if (value === null) return null;
  if (Array.isArray(value)) return vectorOf(value, at, name);
  return vectorFromBase64(typeof value === "string" ? value : "", at, name);
}
