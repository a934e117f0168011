import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { diskError } from "../words/errors.js";

/** What can fail when the disk is full; tests bring one that is. */
export interface Disk {
  makeFolder: (path: string) => Promise<unknown>;
  open: (path: string) => Writable;
}

const realDisk: Disk = {
  makeFolder: (path) => mkdir(path, { recursive: true, mode: 0o700 }),
  // `flush`: the database must not record bytes that a power cut could still lose.
  open: (path) => createWriteStream(path, { mode: 0o600, flush: true }),
};

/** Contents as files of a directory, in folders named by their first two characters. */
export function directoryContents(directory: string, disk = realDisk) {
  // Names are made here, never by senders.
  const folder = (content: string) => join(directory, content.slice(0, 2));
  const path = (content: string) => join(folder(content), content);
  return {
    /** @throws ApiError 503 when the disk is full or read-only */
    async write(content: string, bytes: AsyncIterable<Buffer>): Promise<void> {
      const part = `${path(content)}.part`;
      try {
        await disk.makeFolder(folder(content));
        await pipeline(Readable.from(bytes), disk.open(part));
        await rename(part, path(content));
      } catch (error) {
        throw diskError(error, "The directory of uploaded files (FILES_DIR)");
      }
    },
    read: (content: string): AsyncIterable<Buffer> => createReadStream(path(content)),
    async remove(content: string): Promise<void> {
      await rm(`${path(content)}.part`, { force: true });
      await rm(path(content), { force: true });
    },
  };
}
