import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Deps } from "../deps.js";
import type { StoredFile } from "../../words/file.js";

/** Copies a file's bytes to a file on disk, which parsers can read in any order. Call `remove` at the end. */
export async function spool(
  deps: Deps,
  file: StoredFile,
  signal: AbortSignal,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "vector-store-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  const path = join(directory, "document");
  try {
    await pipeline(deps.storage.read(file), createWriteStream(path, { mode: 0o600 }), { signal });
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
