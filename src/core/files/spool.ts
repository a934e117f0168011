import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { directoryError, diskError } from "../../words/errors.js";
import type { StoredFile } from "../../words/file.js";
import type { Deps } from "../deps.js";

const place = "The temporary directory";

/**
 * Copies a file's bytes to a file on disk, which parsers can read in any order. Call `remove` at the end.
 * @throws what reading the bytes throws; ApiError 503 when the temporary directory is full or read-only
 */
export async function spool(
  deps: Deps,
  file: StoredFile,
  signal: AbortSignal,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "vector-store-")).catch((error: unknown) => {
    throw directoryError(error, place);
  });
  const remove = () => rm(directory, { recursive: true, force: true });
  const path = join(directory, "document");
  try {
    await pipeline(deps.storage.read(file), createWriteStream(path, { mode: 0o600 }), { signal });
    return { path, remove };
  } catch (error) {
    await remove();
    throw diskError(error, place);
  }
}
