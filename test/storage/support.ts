import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../src/db/database.js";
import { type Storage, createStorage } from "../../src/storage/storage.js";
import { type TestDatabase, createTestDatabase } from "../support/database.js";

export const megabyte = 1024 * 1024;

export interface TestStorages {
  database: TestDatabase;
  db: Database;
  /** FILES_DIR. */
  directory: string;
  inDatabase: Storage;
  inDirectory: Storage;
  /** Everything that either place holds: contents with their slices, and files. */
  everything(): Promise<{ slices: { content: string; number: number; bytes: number }[]; files: string[] }>;
  close(): Promise<void>;
}

/** Storage in a database, and in a directory beside the same database. */
export async function openStorages(): Promise<TestStorages> {
  const database = await createTestDatabase();
  const { db } = await database.open();
  const directory = mkdtempSync(join(tmpdir(), "vector-store-files-"));
  return {
    database,
    db,
    directory,
    inDatabase: createStorage(db, null, Date.now),
    inDirectory: createStorage(db, directory, Date.now),
    everything: async () => ({
      slices: await database.query(
        "SELECT content, number, octet_length(bytes) AS bytes FROM vector_store_file_slices ORDER BY content, number",
      ),
      files: readdirSync(directory, { recursive: true })
        .map(String)
        .filter((path) => statSync(join(directory, path)).isFile() && path !== ".vector-store")
        .sort(),
    }),
    close: async () => {
      await db.close();
      await database.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Bytes that differ from place to place, so that a lost or moved slice shows. */
export function patternOf(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16) * 13) & 0xff;
  return bytes;
}

/** Gives bytes in parts of these sizes, again and again, and then fails if it should. */
export async function* inParts(bytes: Buffer, sizes: readonly number[], failure?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0, part = 0; at < bytes.length; part += 1) {
    const size = Math.max(1, sizes[part % sizes.length] ?? 1);
    // A part of a larger buffer, as the parts of a form are.
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
  if (failure !== undefined) throw failure;
}

export async function readAll(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}
