import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, unavailable } from "../words/errors.js";

/** What the database knows of the bytes in a directory. */
export interface OnRecord {
  /** Whether it has any content there, also one that belongs to nothing. */
  any: () => Promise<boolean>;
  /**
   * Whether one of these contents there belongs to a file or an upload. What does not may have been written into a
   * mount point just now, whose volume was leaving.
   */
  anyOf: (contents: readonly string[]) => Promise<boolean>;
}

const name = ".vector-store";
const text =
  "vector-store keeps the bytes of uploaded files here. While this file is missing, it takes the directory for the\n" +
  "empty mount point of a volume and refuses uploads, downloads and deletions. Please leave it here.\n";

/**
 * A file in a directory says that it is the one where contents are kept, not the mount point of a volume that is away:
 * bytes written there would vanish under the volume, and those on it would seem lost. Whoever uses the directory first
 * makes the file. In a directory of a former version it is missing; one of the contents on record then proves the same.
 * @returns checks that the directory is there. Throws ApiError 503 for a mount point, and what the file system throws
 */
export function requireMarker(directory: string, onRecord: OnRecord): () => Promise<void> {
  const path = join(directory, name);
  // It was there in this process: without it, the directory is another one, also if nothing is on record.
  let seen = false;
  let deciding: Promise<boolean> | null = null;
  const isOurs = async () => (await holdsContents(directory, onRecord)) || (!seen && !(await onRecord.any()));
  const mark = () =>
    writeFile(path, text, { flag: "wx", mode: 0o600, flush: true }).catch((error: unknown) => {
      // Another replica was first.
      if (errorCode(error) !== "EEXIST") throw error;
    });
  return async () => {
    if (!(await exists(path))) {
      await stat(directory);
      // Looking for contents may take long; all who ask meanwhile get one answer.
      deciding ??= isOurs().finally(() => (deciding = null));
      if (await deciding) await mark();
      // Another replica may have begun to use it just now.
      else if (!(await exists(path))) throw mountPoint();
    }
    seen = true;
  };
}

const mountPoint = () =>
  unavailable(
    `The directory of uploaded files (FILES_DIR) has neither its file ${name} nor any uploaded file: it looks like the ` +
      "mount point of a volume that is not mounted.",
    { retryAfterSeconds: 60 },
  );

const exists = (path: string) =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) !== "ENOENT") throw error;
      return false;
    },
  );

/** Whether the directory has any of the contents that are on record there. */
async function holdsContents(directory: string, onRecord: OnRecord): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const folder of entries.filter((entry) => entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name))) {
    const contents = await readdir(join(directory, folder.name));
    if (contents.length > 0 && (await onRecord.anyOf(contents))) return true;
  }
  return false;
}
