import { createHash, randomUUID } from "node:crypto";
import {
  deleteSlices,
  hasContentsInDirectory,
  isAnyInDirectory,
  listLeftOver,
  readSlice,
  writeSlice,
} from "../db/tables/fileSlices.js";
import { type Disk, directoryContents } from "./directory.js";
import type { Database } from "../db/database.js";
import { errorCode, unavailable } from "../words/errors.js";

/** Where the bytes of a file are. */
export interface Content {
  /** Their name. */
  content: string;
  /** In FILES_DIR, otherwise in the database. */
  inDirectory: boolean;
}

export interface Written extends Content {
  bytes: number;
  /** SHA-256. */
  contentHash: Buffer;
}

/** What is recorded of stored bytes, and is checked when they are read. A part of an upload has no hash. */
type Recorded = Content & Pick<Written, "bytes"> & Partial<Pick<Written, "contentHash">>;

/** The stored bytes are not the recorded ones: some are missing, or they differ. */
export class DamagedBytes extends Error {
  /** The message as a sentence for the file's owner. */
  get sentence(): string {
    return `The file's stored bytes are damaged: ${this.message}.`;
  }
}

/** Keeps the bytes of files. Writing holds at most one slice in memory, and reading two. */
export interface Storage {
  /**
   * Makes FILES_DIR, for the start of a process. A directory that is missing or empty although files are recorded in
   * it is not made: it is away.
   * @throws ApiError 503
   */
  prepare(): Promise<void>;
  /** Stores bytes. If they fail to arrive, nothing is left. @throws what `bytes` throws; ApiError 503 for FILES_DIR */
  write(bytes: AsyncIterable<Uint8Array>): Promise<Written>;
  /**
   * The bytes in their order.
   * @throws ApiError 503 if FILES_DIR has them and cannot be read, or is not set; DamagedBytes at the first byte too
   * many, or before the last slice, if they are not what was recorded: nobody gets the whole of damaged bytes
   */
  read(from: Recorded): AsyncIterable<Buffer>;
  /** Does nothing if they are already gone. @throws ApiError 503 if FILES_DIR has them and cannot be changed */
  remove(from: Content): Promise<void>;
  /**
   * Removes what was written before a moment, in Unix milliseconds, and belongs to no file and no upload. What is in
   * FILES_DIR stays while that is not set.
   * @returns how many contents
   * @throws ApiError 503 if FILES_DIR cannot be changed
   */
  sweep(writtenBefore: number): Promise<number>;
}

/** Bytes per statement: few enough to let others use the only connection of the embedded database. */
const sliceBytes = 1024 * 1024;
/** Contents that a sweep asks for at once. */
const sweptAtOnce = 100;

/**
 * Storage in a directory or in the database. What is already in the other place can still be read and removed.
 * @param directory where new bytes go; null for the database
 */
export function createStorage(
  db: Database,
  directory: string | null,
  now: () => number,
  disk?: Partial<Disk>,
): Storage {
  const onRecord = {
    any: () => hasContentsInDirectory(db),
    anyOf: (contents: readonly string[]) => isAnyInDirectory(db, contents),
  };
  const files = directory === null ? null : directoryContents(directory, sliceBytes, onRecord, disk);
  const requireFiles = () => {
    if (files === null) throw unavailable("The file's bytes are in a directory (FILES_DIR), which is not set here.");
    return files;
  };
  const inDatabase = databaseContents(db, now);
  // An empty slice in the database says that there are bytes in the directory: a process that dies before it records
  // their file leaves it to the sweep, which could not tell them from another installation's otherwise.
  const inFolder = (folder: NonNullable<typeof files>) => ({
    write: async (content: string, bytes: AsyncIterable<Buffer>) => {
      await folder.requireDirectory();
      await writeSlice(db, content, 0, Buffer.alloc(0), now());
      await folder.write(content, bytes);
    },
    remove: async (content: string) => {
      await folder.remove(content);
      await deleteSlices(db, content);
    },
  });
  /** Where new bytes go. */
  const usual = files === null ? inDatabase : inFolder(files);
  return {
    prepare: async () => {
      if (files === null) return;
      if (await onRecord.any()) await files.requireDirectory();
      else await files.make();
    },
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
      try {
        await usual.write(content, counted());
      } catch (error) {
        // The sweep removes what cannot be removed now.
        await usual.remove(content).catch(() => undefined);
        throw error;
      }
      return { content, inDirectory: files !== null, bytes, contentHash: hash.digest() };
    },
    read: (from) => checked((from.inDirectory ? requireFiles() : inDatabase).read(from.content), from),
    remove: ({ content, inDirectory }) => (inDirectory ? inFolder(requireFiles()) : inDatabase).remove(content),
    sweep: async (writtenBefore) => {
      for (let swept = 0; ;) {
        const contents = await listLeftOver(db, { writtenBefore, empty: files !== null }, sweptAtOnce);
        for (const content of contents) await usual.remove(content);
        swept += contents.length;
        if (contents.length < sweptAtOnce) return swept;
      }
    },
  };
}

/** Contents as slices in the database. */
function databaseContents(db: Database, now: () => number) {
  return {
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
}

/** Holds the last slice back until it is known that the bytes are the recorded ones. */
async function* checked(read: AsyncIterable<Buffer>, { bytes, contentHash }: Recorded): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let size = 0;
  let last: Buffer | undefined;
  try {
    for await (const slice of read) {
      size += slice.length;
      if (size > bytes) throw new DamagedBytes(`there are more than the ${bytes} bytes that were stored`);
      if (contentHash !== undefined) hash.update(slice);
      if (last !== undefined) yield last;
      last = slice;
    }
  } catch (error) {
    throw errorCode(error) === "ENOENT" ? new DamagedBytes("they are missing in FILES_DIR") : error;
  }
  if (size < bytes) throw new DamagedBytes(`${size} of ${bytes} bytes are there`);
  if (contentHash !== undefined && !hash.digest().equals(contentHash)) {
    throw new DamagedBytes(`the ${bytes} bytes have another SHA-256 than when they were stored`);
  }
  if (last !== undefined) yield last;
}

/** Cuts bytes into slices of `sliceBytes`; only the last is smaller. */
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
