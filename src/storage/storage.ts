import { createHash, randomUUID } from "node:crypto";
import { deleteSlices, readSlice, writeSlice } from "../db/tables/fileSlices.js";
import { directoryContents } from "./directory.js";
import type { Database } from "../db/database.js";

/** Where the bytes of a content are: a name, and whether in FILES_DIR or in the database. */
export interface Content {
  content: string;
  inDirectory: boolean;
}

export interface Written extends Content {
  bytes: number;
  /** SHA-256. */
  contentHash: Buffer;
}

/** Keeps bytes. Neither reading nor writing holds more than a slice of a content in memory. */
export interface Storage {
  /** Writes a content from its beginning to its end. What is written of one that breaks off is removed. @throws what the bytes throw */
  write(bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  read(from: Content): AsyncIterable<Buffer>;
  remove(from: Content): Promise<void>;
}

/** What one statement carries: small enough that others get their turn on the embedded database's only connection. */
const sliceBytes = 1024 * 1024;

/** @param directory where new contents go; null: the database. Those that are already somewhere are read there. */
export function createStorage(db: Database, directory: string | null, now: () => number): Storage {
  const files = directory === null ? null : directoryContents(directory);
  const requireFiles = () => {
    if (files === null) throw new Error("a file's bytes are in FILES_DIR, which is not set");
    return files;
  };
  const inDatabase = {
    async write(content: string, bytes: AsyncIterable<Buffer>) {
      let number = 0;
      for await (const slice of slices(bytes)) {
        await writeSlice(db, content, number, slice, now());
        number += 1;
      }
    },
    async *read(content: string) {
      for (let number = 0; ; number += 1) {
        const slice = await readSlice(db, content, number);
        if (slice === undefined) return;
        yield slice;
      }
    },
    remove: (content: string) => deleteSlices(db, content),
  };
  return {
    async write(given) {
      const hash = createHash("sha256");
      let bytes = 0;
      const counted = async function* () {
        for await (const part of given) {
          const buffer = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
          hash.update(buffer);
          bytes += buffer.length;
          yield buffer;
        }
      };
      const content = randomUUID();
      const place = files ?? inDatabase;
      try {
        await place.write(content, counted());
      } catch (error) {
        // The sweep takes what cannot be removed now.
        await place.remove(content).catch(() => undefined);
        throw error;
      }
      return { content, inDirectory: files !== null, bytes, contentHash: hash.digest() };
    },
    read: ({ content, inDirectory }) => (inDirectory ? requireFiles() : inDatabase).read(content),
    remove: ({ content, inDirectory }) => (inDirectory ? requireFiles() : inDatabase).remove(content),
  };
}

/** Bytes in slices of one size, the last one smaller. */
async function* slices(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of bytes) {
    for (let at = 0; at < part.length;) {
      const taken = part.subarray(at, at + sliceBytes - size);
      parts.push(taken);
      size += taken.length;
      at += taken.length;
      if (size < sliceBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(parts);
}
