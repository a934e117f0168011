import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError, directoryError, errorCode } from "../words/errors.js";
import { type OnRecord, requireMarker } from "./marker.js";

/** What can fail when the disk is full or read-only; tests bring one that is. */
export interface Disk {
  /** Only the last folder of the path. */
  makeFolder: (path: string) => Promise<unknown>;
  open: (path: string) => Writable;
  read: (path: string) => AsyncIterable<Buffer>;
  remove: (path: string) => Promise<void>;
}

/** @param sliceBytes read at once */
const realDisk = (sliceBytes: number): Disk => ({
  makeFolder,
  // `flush`: the database must not record bytes that a power cut could still lose.
  open: (path) => createWriteStream(path, { mode: 0o600, flush: true }),
  read: (path) => createReadStream(path, { highWaterMark: sliceBytes }),
  remove: (path) => rm(path, { force: true }),
});

/** Makes a folder, unless it is there. */
const makeFolder = (path: string) =>
  mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== "EEXIST") throw error;
  });

/**
 * The same with what is missing above it. Node's own `recursive` reports ENOENT for a read-only file system, and never
 * ends where a parent exists but takes no folders, as in /proc.
 */
async function makeFolders(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await makeFolder(path);
  }
}

/**
 * Contents as files of a directory, in folders named by their first two characters. Whatever the file system says is
 * ApiError 503 with the reason: no caller can do anything about it. So is a directory that is away, or the empty mount
 * point in its place: its files are not gone, and nothing but `make` makes it anew.
 */
export function directoryContents(
  directory: string,
  sliceBytes: number,
  onRecord: OnRecord,
  changes: Partial<Disk> = {},
) {
  const disk = { ...realDisk(sliceBytes), ...changes };
  // Names are made here, never by senders.
  const folder = (content: string) => join(directory, content.slice(0, 2));
  const path = (content: string) => join(folder(content), content);
  const requireMarked = requireMarker(directory, onRecord);
  const requireDirectory = async () => {
    try {
      await requireMarked();
    } catch (error) {
      throw away(error);
    }
  };
  return {
    /** @throws ApiError 503 if the directory is away */
    requireDirectory,
    /** Makes the directory, unless it is there. @throws ApiError 503 */
    async make(): Promise<void> {
      try {
        await makeFolders(directory);
      } catch (error) {
        throw away(error);
      }
    },
    /** @throws ApiError 503, and what `bytes` throws */
    async write(content: string, bytes: AsyncIterable<Buffer>): Promise<void> {
      const part = `${path(content)}.part`;
      const sent: { failure?: unknown } = {};
      try {
        await disk.makeFolder(folder(content));
        await pipeline(Readable.from(noting(bytes, sent)), disk.open(part));
        await rename(part, path(content));
      } catch (error) {
        throw "failure" in sent ? sent.failure : away(error);
      }
      // It may have left meanwhile: nobody must record bytes that are not in it.
      await requireDirectory();
    },
    /** @throws ApiError 503; an error with the code ENOENT if the directory is there and has no such content */
    async *read(content: string): AsyncGenerator<Buffer, void> {
      try {
        yield* disk.read(path(content));
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw away(error);
        await requireDirectory();
        throw error;
      }
    },
    /** @throws ApiError 503 */
    async remove(content: string): Promise<void> {
      try {
        await disk.remove(`${path(content)}.part`);
        await disk.remove(path(content));
      } catch (error) {
        throw away(error);
      }
      await requireDirectory();
    },
  };
}

const away = (error: unknown) =>
  error instanceof ApiError ? error : directoryError(error, "The directory of uploaded files (FILES_DIR)");

/**
 * The same bytes. Their sender's failure is noted, to tell it from one of the disk, which the pipeline throws into this
 * generator.
 */
async function* noting(bytes: AsyncIterable<Buffer>, sent: { failure?: unknown }): AsyncGenerator<Buffer> {
  const parts = bytes[Symbol.asyncIterator]();
  const next = async () => {
    try {
      return await parts.next();
    } catch (error) {
      sent.failure = error;
      throw error;
    }
  };
  try {
    for (let part = await next(); part.done !== true; part = await next()) yield part.value;
  } finally {
    await parts.return?.();
  }
}
