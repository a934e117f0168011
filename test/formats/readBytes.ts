import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Block } from "../../src/words/document.js";
import type { ReadFormat, ReadOptions } from "../../src/formats/format.js";

/** Calls `use` with the path of a file of these bytes, then deletes the file. */
export async function withFile<Result>(bytes: Buffer, use: (path: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "formats-"));
  try {
    const path = join(directory, "document");
    await writeFile(path, bytes);
    return await use(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** For formats that need nothing of them. */
export const noOptions: ReadOptions = {
  describeImage: () => Promise.reject(new Error("There is no model.")),
  pdfVision: false,
  depth: 0,
  readInner: () => {
    throw new Error("There is no document within this one.");
  },
};

/** All blocks of a document. */
export function readBytes(
  read: ReadFormat,
  bytes: Buffer,
  name: string,
  more: Partial<ReadOptions> = {},
): Promise<Block[]> {
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const options = { ...noOptions, ...more };
    for await (const block of read({ path, size: bytes.length, name }, options)) blocks.push(block);
    return blocks;
  });
}
