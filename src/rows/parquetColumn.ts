import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from "hyparquet";
import { compressors as foreign } from "hyparquet-compressors";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert } from "hyparquet/src/convert.js";
import { isFlatColumn } from "hyparquet/src/schema.js";
import type { ColumnDecoder, ParquetParsers } from "hyparquet/src/types.js";
import type { FileHandle } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decimalsOf } from "./parquetDecimal.js";

/**
 * Reads one column of a row group page by page. hyparquet alone would hold a column's whole chunk in memory, which can
 * be gigabytes: pandas writes row groups of up to a million vectors. A page is a megabyte.
 */

/** Node's own decompressors if it has them: they are faster. */
const compressors = {
  ...foreign,
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
};

/** How much to read for a header, whose size is not known beforehand. */
const headBytes = 16 * 1024;

export interface ColumnOfGroup {
  metadata: ColumnMetaData;
  schemaPath: SchemaTree[];
}

/** The rows of a leaf column: values, or for a column inside lists and structs the input of `assembleAsync`. */
export async function* readColumnRows(
  file: FileHandle,
  { metadata, schemaPath }: ColumnOfGroup,
  parsers: ParquetParsers,
): AsyncGenerator<unknown[]> {
  const element = schemaPath.at(-1)?.element;
  if (element === undefined) throw new Error("a column has no schema");
  const decimals = decimalsOf(element);
  const valuesOf = (rows: unknown[]) => decimals?.read(rows) ?? rows;
  const decoder: ColumnDecoder = {
    pathInSchema: metadata.path_in_schema,
    type: metadata.type,
    element: decimals?.element ?? element,
    schemaPath,
    codec: metadata.codec,
    parsers,
    compressors,
    utf8: false,
  };
  const flat = isFlatColumn(schemaPath);
  let dictionary: DecodedArray | undefined;
  /** The last row of a nested column, which may continue in the next page. */
  let held: unknown[] = [];
  for await (const { header, bytes } of readPages(file, metadata)) {
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
    if (header.type === "DICTIONARY_PAGE") {
      const { data } = readPage(reader, header, decoder, undefined, undefined, 0);
      if (data !== undefined) dictionary = convert(data, decoder);
      continue;
    }
    // pyarrow writes empty pages; reading one would spoil the held row.
    if ((header.data_page_header_v2 ?? header.data_page_header)?.num_values === 0) continue;
    const { data = [] } = readPage(reader, header, decoder, dictionary, flat ? undefined : held, 0);
    if (flat) {
      yield valuesOf(Array.from(data as ArrayLike<unknown>));
    } else {
      const rows = data as unknown[];
      held = rows.splice(rows.length - 1);
      if (rows.length > 0) yield valuesOf(rows);
    }
  }
  if (held.length > 0) yield valuesOf(held);
}

async function* readPages(
  file: FileHandle,
  { data_page_offset, dictionary_page_offset, total_compressed_size }: ColumnMetaData,
): AsyncGenerator<{ header: PageHeader; bytes: Buffer }> {
  const first = Number(data_page_offset);
  // Some writers set 0 if there is no dictionary.
  const dictionary = Number(dictionary_page_offset ?? 0);
  let at = dictionary > 0 && dictionary < first ? dictionary : first;
  const end = at + Number(total_compressed_size);
  while (at < end) {
    const { header, length } = await readHeader(file, at, end);
    at += length;
    const bytes = await readBytes(file, at, header.compressed_page_size);
    at += bytes.length;
    yield { header, bytes };
  }
}

/** Reads a page header. Its length is known only afterwards, and statistics can make it long. */
async function readHeader(file: FileHandle, at: number, end: number): Promise<{ header: PageHeader; length: number }> {
  for (let size = headBytes; ; size *= 8) {
    const bytes = await readBytes(file, at, Math.min(size, end - at));
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
    try {
      return { header: parquetHeader(reader), length: reader.offset };
    } catch (error) {
      if (!(error instanceof RangeError) || size >= end - at) throw error;
    }
  }
}

/** @throws Error if the file ends earlier */
export async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  if (bytesRead < length) throw new Error("the file ends too early");
  return buffer;
}
