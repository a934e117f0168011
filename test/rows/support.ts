import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromNetworkOrder } from "../../src/numbers/float32.js";
import { type FileFormat, openFiles } from "../../src/rows/fileSource.js";
import type { FileColumns } from "../../src/rows/rowColumns.js";
import type { TransferPage, TransferRow } from "../../src/words/rows.js";

const usualColumns: FileColumns = {
  id: "id",
  content: "content",
  embedding: "embedding",
  metadata: "metadata",
  metadataColumns: [],
  createdAt: "created_at",
  store: "vector_store_id",
};

export interface ReadOptions {
  columns?: Partial<FileColumns>;
  format?: FileFormat;
  delimiter?: string;
  /** The position of an earlier page. */
  after?: unknown;
  stdin?: string;
}

export async function openRows(paths: readonly string[], { columns, format, delimiter, stdin = "" }: ReadOptions = {}) {
  async function* input() {
    // In pieces of 7 bytes, which cut through lines and characters.
    const bytes = Buffer.from(stdin);
    for (let at = 0; at < bytes.length; at += 7) yield Promise.resolve(bytes.subarray(at, at + 7));
  }
  const options = { columns: { ...usualColumns, ...columns }, format: format ?? null, delimiter: delimiter ?? null };
  return openFiles(paths, options, input());
}

export async function readPages(paths: readonly string[], options: ReadOptions = {}): Promise<TransferPage[]> {
  const pages: TransferPage[] = [];
  for await (const page of (await openRows(paths, options)).pages(options.after ?? null)) pages.push(page);
  return pages;
}

export const readRows = async (paths: readonly string[], options: ReadOptions = {}): Promise<TransferRow[]> =>
  (await readPages(paths, options)).flatMap((page) => page.rows);

/** The numbers of a row's vector; null if it has none. */
export const numbersOf = (row: TransferRow | undefined): number[] | null =>
  row?.vector == null ? null : Array.from(fromNetworkOrder(row.vector));

export interface TemporaryDirectory {
  path: string;
  /** Writes a file. @returns its path */
  file(name: string, content: string | Buffer): string;
  remove(): void;
}

export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), "vector-store-rows-"));
  return {
    path,
    file: (name, content) => {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
