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

/** Rows of one store that are to be written, and where to go on after them. */
export interface WrittenRows {
  store: TransferStore;
  rows: readonly TransferRow[];
  position: unknown;
  checksum: string;
}

/** What was written so far. */
export interface ExportState {
  /** Null: nothing. */
  position: unknown;
  rows: number;
  checksum: string;
}

/** Where exported rows go. */
export interface ExportOutput {
  /** What an earlier run has written, which this one goes on after. */
  begun: ExportState;
  write(page: WrittenRows): Promise<void>;
  /** Gives what was written its name. @returns the files */
  finish(): Promise<string[]>;
  /** Closes what is unfinished, for a next run to go on. */
  leave(): Promise<void>;
}

export interface FileOutputOptions {
  format: ExportFormat;
  vectors: VectorText;
  rowsOnly: boolean;
  overwrite: boolean;
  /** What must be the same for a next run to go on with this file. */
  identity: string;
}

/** A run that is killed writes again what it wrote since the last of these. */
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
 * One file, under another name until it is whole. NDJSON goes on after a run that was broken off: what was written up to a second before
 * is kept, beside a note of how far that is. Parquet says at its end where everything is, so it begins anew.
 * @throws ApiError 400 when the file is there already and may not be overwritten
 */
export async function openFileOutput(path: string, options: FileOutputOptions): Promise<ExportOutput> {
  if (!options.overwrite && existsSync(path))
    throw invalid(path, "there is such a file already. Name another one, or say --overwrite");
  const [partial, note] = [`${path}.partial`, `${path}.partial.json`];
  const kept = options.format === "parquet" ? null : await keptState(partial, note, options.identity);
  const file = await open(partial, kept === null ? "w" : "r+").catch((error: unknown) => {
    throw invalid(path, `it cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"})`);
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
    // The note must not say more than the disk has.
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
  // Members of gzip one after the other are a gzip file too, and a next run may begin with one.
  const pack = format === "ndjson.gz" ? (text: string) => gzipSync(text) : (text: string) => Buffer.from(text);
  return createNdjsonWriter((text) => put(pack(text)), { vectors, rowsOnly, told });
}

async function keptState(partial: string, note: string, identity: string) {
  const text = await readFile(note, "utf8").catch(() => null);
  if (text === null || !existsSync(partial)) return null;
  const parsed = partialState.safeParse(JSON.parse(text));
  return parsed.success && parsed.data.identity === identity ? parsed.data : null;
}

async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
    at += bytesWritten;
  }
}
