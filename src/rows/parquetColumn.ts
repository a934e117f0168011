import type { ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from "hyparquet";
import { compressors as foreign } from "hyparquet-compressors";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert } from "hyparquet/src/convert.js";
import { isFlatColumn } from "hyparquet/src/schema.js";
import type { ColumnDecoder, ParquetParsers } from "hyparquet/src/types.js";
import type { FileHandle } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

/**
 * The values of one column of a row group, page by page. hyparquet's own reading takes a column's whole chunk into memory, and what
 * pandas writes is one row group of up to a million rows: gigabytes of vectors. A page is a megabyte.
 */

/** What is native in Node is used from there. */
const compressors = {
  ...foreign,
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
};

/** Read at once where the size of what comes is not known. */
const headBytes = 16 * 1024;

export interface ColumnOfGroup {
  metadata: ColumnMetaData;
  schemaPath: SchemaTree[];
}

/** Rows of a leaf column: values, or for a column within lists and structs what `assembleAsync` takes. */
export async function* readColumnRows(
  file: FileHandle,
  { metadata, schemaPath }: ColumnOfGroup,
  parsers: ParquetParsers,
): AsyncGenerator<unknown[]> {
  const element = schemaPath.at(-1)?.element;
  if (element === undefined) throw new Error("a column has no schema");
  const decoder: ColumnDecoder = {
    pathInSchema: metadata.path_in_schema,
    type: metadata.type,
    element,
    schemaPath,
    codec: metadata.codec,
    parsers,
    compressors,
    utf8: false,
  };
  const flat = isFlatColumn(schemaPath);
  let dictionary: DecodedArray | undefined;
  /** The last row of a nested column may go on in the next page. */
  let held: unknown[] = [];
  for await (const { header, bytes } of readPages(file, metadata)) {
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
    if (header.type === "DICTIONARY_PAGE") {
      const { data } = readPage(reader, header, decoder, undefined, undefined, 0);
      if (data !== undefined) dictionary = convert(data, decoder);
      continue;
    }
    // pyarrow writes such; what would come of it is not the row that is held.
    if ((header.data_page_header_v2 ?? header.data_page_header)?.num_values === 0) continue;
    const { data = [] } = readPage(reader, header, decoder, dictionary, flat ? undefined : held, 0);
    if (flat) {
      yield Array.from(data as ArrayLike<unknown>);
    } else {
      const rows = data as unknown[];
      held = rows.splice(rows.length - 1);
      if (rows.length > 0) yield rows;
    }
  }
  if (held.length > 0) yield held;
}

async function* readPages(
  file: FileHandle,
  { data_page_offset, dictionary_page_offset, total_compressed_size }: ColumnMetaData,
): AsyncGenerator<{ header: PageHeader; bytes: Buffer }> {
  const first = Number(data_page_offset);
  // Some writers say 0 where there is no dictionary.
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

/** Its length is known when it was read; with long statistics it is more than is read at first. */
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

/** @throws Error when the file ends before. */
export async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  if (bytesRead < length) throw new Error("the file ends too early");
  return buffer;
}
