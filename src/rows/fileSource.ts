import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { ApiError, invalid } from "../words/errors.js";
import type { TransferPage, TransferSource } from "../words/rows.js";
import type { FileColumns } from "./rowColumns.js";
import { readCsv } from "./csv.js";
import { filesOfExport } from "./exportDirectory.js";
import { readNdjson } from "./ndjson.js";
import { parquetSize, readParquet } from "./parquet.js";

export type FileFormat = "ndjson" | "csv" | "parquet";

export interface FileOptions {
  columns: FileColumns;
  /** Null: by the file name's extension. */
  format: FileFormat | null;
  /** Null: a comma; in .tsv, a tab. */
  delimiter: string | null;
}

/** A file or stream of rows. */
interface RowFile {
  name: string;
  /** The total of `done` of its pages; null if unknown. */
  size: number | null;
  /** Differs for other contents. Made without reading all of a file. */
  fingerprint: string;
  pages(after: unknown): AsyncIterable<TransferPage>;
}

/** The number of a file, and the position in it. */
const position = z.object({ file: z.int(), at: z.unknown() });

/**
 * Opens files as one source of rows, file after file.
 * @param paths files; `-` for standard input; a directory must be an exported one
 * @throws ApiError 400 for a file that is missing, unreadable or of unknown format
 */
export async function openFiles(
  paths: readonly string[],
  options: FileOptions,
  stdin: AsyncIterable<Buffer>,
): Promise<TransferSource> {
  const files: RowFile[] = [];
  for (const path of paths) {
    if (path === "-") files.push(streamOf(stdin, options));
    else if (isDirectory(path)) for (const part of await filesOfExport(path)) files.push(await openFile(part, options));
    else files.push(await openFile(path, options));
  }
  const sizes = files.map((file) => file.size);
  const total = sizes.every((size) => size !== null) ? sizes.reduce((sum, size) => sum + size, 0) : null;
  const { columns } = options;
  return {
    name: files.map((file) => file.name).join(", "),
    origin: files.map((file) => file.name).join("\n"),
    identity: { files: files.map(({ name, fingerprint }) => ({ name, fingerprint })), columns },
    total: total === null ? null : { amount: total, unit: "bytes" },
    repeatable: !paths.includes("-"),
    withoutEmbedding: 0,
    dimensions: null,
    canonical: false,
    async *pages(after) {
      const begin = after === null ? { file: 0, at: null } : position.parse(after);
      for (const [i, file] of files.entries()) {
        if (i < begin.file) continue;
        const before = sizes.slice(0, i).reduce<number>((sum, size) => sum + (size ?? 0), 0);
        for await (const page of file.pages(i === begin.file ? (begin.at ?? null) : null))
          yield { ...page, position: { file: i, at: page.position }, done: before + page.done };
      }
    },
    close: () => Promise.resolve(),
  };
}

/** False also if the path cannot be read: opening it then reports why. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

async function openFile(path: string, options: FileOptions): Promise<RowFile> {
  const zipped = /\.gz$/i.test(path);
  const format = options.format ?? formatOf(path);
  // A file has the same rows whether it is compressed or not.
  const name = basename(path).replace(/\.gz$/i, "");
  if (zipped && format === "parquet") throw invalid(path, "Parquet is compressed inside; unpack the .gz");
  const { size, fingerprint } = await look(path);
  const bytes = (offset: number) => readFile(path, zipped, offset);
  switch (format) {
    case "ndjson":
      return {
        name,
        size: zipped ? null : size,
        fingerprint,
        pages: (at) => readNdjson(bytes, name, options.columns, at),
      };
    case "csv": {
      const delimiter = options.delimiter ?? (/\.tsv(\.gz)?$/i.test(path) ? "\t" : ",");
      const csv = { columns: options.columns, delimiter };
      return { name, size: zipped ? null : size, fingerprint, pages: (at) => readCsv(bytes, name, csv, at) };
    }
    case "parquet":
      return {
        name,
        size: await parquetSize(path, name),
        fingerprint,
        pages: (at) => readParquet(path, name, options.columns, at),
      };
  }
}

function streamOf(stdin: AsyncIterable<Buffer>, { columns, format }: FileOptions): RowFile {
  if (format !== null && format !== "ndjson") throw invalid("-", "only NDJSON can be read from standard input");
  const name = "standard input";
  return { name, size: null, fingerprint: "", pages: () => readNdjson(() => stdin, name, columns, null) };
}

function formatOf(path: string): FileFormat {
  const ending = /\.(\w+?)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === "ndjson" || ending === "jsonl") return "ndjson";
  if (ending === "csv" || ending === "tsv") return "csv";
  if (ending === "parquet") return "parquet";
  throw invalid(path, "its name does not end in .ndjson, .jsonl, .csv, .tsv or .parquet. Add --format");
}

const lookedAt = 1024 * 1024;

async function look(path: string): Promise<{ size: number; fingerprint: string }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(lookedAt), 0, lookedAt, 0);
    const hash = createHash("sha256").update(buffer.subarray(0, bytesRead)).update(String(size));
    return { size, fingerprint: hash.digest("hex") };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw invalid(path, code === "ENOENT" ? "there is no such file" : `cannot be read (${code})`);
  } finally {
    await file?.close();
  }
}

/** The content from an offset on. A compressed file must be unpacked up to there. */
async function* readFile(path: string, zipped: boolean, offset: number): AsyncGenerator<Buffer> {
  if (!zipped) {
    yield* createReadStream(path, { start: offset }) as AsyncIterable<Buffer>;
    return;
  }
  const source = createReadStream(path);
  const content = source.pipe(createGunzip());
  source.once("error", (error) => content.destroy(error));
  let left = offset;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      if (left < chunk.length) yield chunk.subarray(left);
      left = Math.max(0, left - chunk.length);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalid(path, `cannot be unpacked: ${(error as Error).message}`);
  } finally {
    source.destroy();
  }
}
