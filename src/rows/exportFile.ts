import { existsSync } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { invalid } from "../words/errors.js";
import { type TransferRow, type TransferStore, addChecksums, noChecksum } from "../words/rows.js";
import { createParquetWriter } from "./parquetWriter.js";
import { type RowWriter, type VectorText, createNdjsonWriter } from "./rowWriter.js";

export const exportFormats = ["ndjson", "ndjson.gz", "parquet"] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Some rows of one store, in the order of the export. */
export interface WrittenRows {
  store: TransferStore;
  rows: readonly TransferRow[];
  /** Where the export continues after them, as JSON. */
  position: unknown;
  /** The sum of their digests, as `addChecksums` adds them. */
  checksum: string;
}

/** What has been written so far. */
interface ExportState {
  /** Null if nothing has been. */
  position: unknown;
  rows: number;
  checksum: string;
}

/** Where exported rows go. */
export interface ExportOutput {
  /** What an earlier run has written; this one continues after it. */
  begun: ExportState;
  write(page: WrittenRows): Promise<void>;
  /** Completes the output and gives it its name. @returns the files */
  finish(): Promise<string[]>;
  /** Closes unfinished output, so that the next run can continue it. */
  leave(): Promise<void>;
}

export interface FileOutputOptions {
  format: ExportFormat;
  vectors: VectorText;
  rowsOnly: boolean;
  overwrite: boolean;
  /** The next run continues this file only if its identity is the same. */
  identity: string;
}

/** After kill -9, the next run writes at most this much time's rows again. */
const saveEveryMs = 1000;

const partialState = z.object({
  identity: z.string(),
  offset: z.int(),
  told: z.array(z.string()),
  position: z.unknown(),
  rows: z.int(),
  checksum: z.string(),
});

/**
 * Writes rows to a file, called ….partial until it is complete. NDJSON continues an interrupted run: ….partial.json
 * notes once a second how far it has come. Parquet starts over, because its index is at its end.
 * @throws ApiError 400 if the file exists and `overwrite` is not set, or cannot be written
 */
export async function openFileOutput(path: string, options: FileOutputOptions): Promise<ExportOutput> {
  if (!options.overwrite && existsSync(path))
    throw invalid(path, "already exists. Name another file, or add --overwrite");
  const [partial, note] = [`${path}.partial`, `${path}.partial.json`];
  const kept = options.format === "parquet" ? null : await keptState(partial, note, options.identity);
  const file = await open(partial, kept === null ? "w" : "r+").catch((error: unknown) => {
    throw invalid(path, `cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
  });
  let offset = kept?.offset ?? 0;
  await file.truncate(offset);
  const told = new Set(kept?.told ?? []);
  const put = async (bytes: Buffer) => {
    await writeAll(file, bytes, offset);
    offset += bytes.length;
  };
  const writer = writerFor(put, options, told);
  const state: ExportState = {
    position: kept?.position ?? null,
    rows: kept?.rows ?? 0,
    checksum: kept?.checksum ?? noChecksum,
  };
  const begun = { ...state };
  let savedAt = performance.now();
  const save = async () => {
    if (options.format === "parquet") return;
    // The note must not claim more than the disk has.
    await file.datasync();
    await writeFile(`${note}.new`, JSON.stringify({ identity: options.identity, offset, told: [...told], ...state }));
    await rename(`${note}.new`, note);
    savedAt = performance.now();
  };
  return {
    begun,
    write: async ({ store, rows, position, checksum }) => {
      await writer.write(store, rows);
      told.add(store.id);
      state.position = position;
      state.rows += rows.length;
      state.checksum = addChecksums(state.checksum, checksum);
      if (performance.now() - savedAt >= saveEveryMs) await save();
    },
    finish: async () => {
      await writer.end();
      // An empty file is not a gzip file.
      if (options.format === "ndjson.gz" && offset === 0) await put(gzipSync(""));
      await file.sync();
      await file.close();
      await rename(partial, path);
      await rm(note, { force: true });
      return [path];
    },
    leave: async () => {
      await save();
      await file.close();
      if (options.format === "parquet") await rm(partial, { force: true });
    },
  };
}

function writerFor(
  put: (bytes: Buffer) => Promise<void>,
  { format, vectors, rowsOnly }: Pick<FileOutputOptions, "format" | "vectors" | "rowsOnly">,
  told: ReadonlySet<string>,
): RowWriter {
  if (format === "parquet") return createParquetWriter(put, vectors !== "none");
  // A gzip file may have several members, so the next run can append one.
  const pack = format === "ndjson.gz" ? (text: string) => gzipSync(text) : (text: string) => Buffer.from(text);
  return createNdjsonWriter((text) => put(pack(text)), { vectors, rowsOnly, told });
}

/** What an earlier run noted; null if it cannot be continued. A power cut may leave an empty note. */
async function keptState(partial: string, note: string, identity: string) {
  if (!existsSync(partial)) return null;
  const text = await readFile(note, "utf8").catch(() => "");
  const parsed = partialState.safeParse(jsonOrNull(text));
  return parsed.success && parsed.data.identity === identity ? parsed.data : null;
}

async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}

/** The value of a JSON text; null if it is not one. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
