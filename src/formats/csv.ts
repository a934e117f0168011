import { Readable, pipeline } from "node:stream";
import type { Options } from "csv-parse";
import { joinCells, longestHeader } from "./blockWriter.js";
import { decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { blocksOfText, noText } from "./text.js";

/** In bytes. A quote that is never closed turns the rest of the file into one record. */
const largestRecord = 1_048_576;
/** In order of preference: commas are frequent inside texts and numbers, tabs are rare. */
const delimiters = ["\t", ";", "|", ","];
const sampleSize = 65_536;
/**
 * In bytes. The parser makes all records of the bytes that it is given before any is taken, and a record of two bytes
 * takes half a kilobyte of memory.
 */
const parsedAtOnce = 16_384;
const sampleLines = 20;

interface CsvRecord {
  record: string[];
  /** Bytes from the start to the end of the record. */
  info: { bytes: number };
}

/**
 * Reads a table with any common delimiter. After a quote that is never closed, the rest is read with quotes as plain
 * characters.
 * @throws DocumentError when there is no text
 */
export const readCsv: ReadFormat = async function* ({ path }) {
  const { CsvError } = await import("csv-parse");
  const head = await beginningOf(path);
  // Spreadsheets accept a first line that names the delimiter.
  const named = /^sep=(.)\r?\n/i.exec(head);
  const delimiter = named?.[1] ?? delimiterOf(head.slice(0, sampleSize));
  let at = Buffer.byteLength(named?.[0] ?? "");
  let header: string | null = null;
  let count = 0;
  for (const quote of ['"', null]) {
    const from = at;
    try {
      for await (const { record, info } of recordsOf(path, from, { delimiter, quote })) {
        at = from + info.bytes;
        const text = joinCells(record);
        if (text === "") continue;
        yield { kind: "row", text, header, place: {} };
        count += 1;
        if (count === 1 && text.length <= longestHeader && isHeader(record)) header = text;
      }
      if (count === 0) throw noText(head);
      return;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
    }
  }
  yield* blocksOfText(textFrom(path, at));
};

/** Whether the cells of the first row look like column names: none is empty or a number. */
function isHeader(cells: readonly string[]): boolean {
  return cells.length > 1 && cells.every((cell) => cell.trim() !== "" && !/^[-+\s\d.,:/%$€£¥()]*$/.test(cell));
}

async function beginningOf(path: string): Promise<string> {
  for await (const piece of decodeFile(path)) return piece;
  return "";
}

/** The delimiter that occurs equally often in most lines. */
function delimiterOf(sample: string): string {
  const unquoted = sample.replace(/"[^"]*(?:"|$)/g, "");
  const lines = unquoted.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  const shares = delimiters.map((delimiter) => {
    const counts = lines.slice(0, sampleLines).map((line) => line.split(delimiter).length - 1);
    return Math.max(0, ...counts.map((count) => (count === 0 ? 0 : counts.filter((other) => other === count).length)));
  });
  const best = Math.max(...shares);
  return (best > 0 ? delimiters[shares.indexOf(best)] : undefined) ?? ",";
}

async function* recordsOf(path: string, from: number, options: Options): AsyncGenerator<CsvRecord> {
  const { parse } = await import("csv-parse");
  const parser = parse({
    ...options,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: largestRecord,
    info: true,
  });
  // An error of the source becomes the parser's error, which the loop below throws.
  pipeline(Readable.from(inSlices(bytesFrom(path, from)), { highWaterMark: 1 }), parser, () => undefined);
  yield* parser as AsyncIterable<CsvRecord>;
}

/** The file's text as UTF-8, without the first `from` bytes of it. */
async function* bytesFrom(path: string, from: number): AsyncGenerator<Buffer> {
  let skipped = 0;
  for await (const piece of decodeFile(path)) {
    const bytes = Buffer.from(piece);
    const start = Math.min(from - skipped, bytes.length);
    if (start < bytes.length) yield bytes.subarray(start);
    skipped += start;
  }
}

async function* inSlices(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const bytes of pieces) {
    for (let at = 0; at < bytes.length; at += parsedAtOnce) yield bytes.subarray(at, at + parsedAtOnce);
  }
}

/** @param from where a record begins, so that no character is cut */
async function* textFrom(path: string, from: number): AsyncGenerator<string> {
  for await (const bytes of bytesFrom(path, from)) yield bytes.toString();
}
