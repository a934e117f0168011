import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Contents as files of a directory, in folders named by their first two characters. */
export function directoryContents(directory: string) {
  // Names are made here, never by senders.
  const folder = (content: string) => join(directory, content.slice(0, 2));
  const path = (content: string) => join(folder(content), content);
  return {
    async write(content: string, bytes: AsyncIterable<Buffer>): Promise<void> {
      await mkdir(folder(content), { recursive: true, mode: 0o700 });
      const part = `${path(content)}.part`;
      // `flush`: the database must not record bytes that a power cut could still lose.
      await pipeline(Readable.from(bytes), createWriteStream(part, { mode: 0o600, flush: true }));
      await rename(part, path(content));
    },
    read: (content: string): AsyncIterable<Buffer> => createReadStream(path(content)),
    async remove(content: string): Promise<void> {
      await rm(`${path(content)}.part`, { force: true });
      await rm(path(content), { force: true });
    },
  };
}
