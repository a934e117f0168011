import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.js";
import { StartupError } from "../words/errors.js";

/** The file with the key that the first start generated. */
export const firstKeyFile = (dataDir: string) => join(dataDir, "server-key");

/**
 * The keys that the server accepts. If none is configured, the first start generates one and stores it in the data
 * directory, readable only by its owner: the server is never open and has no default key.
 * @throws StartupError if the key cannot be stored or the file is empty
 */
export function serverKeys(config: Config): {
  server: string | null;
  master: string | null;
  /** The file that this start has put a new key into. */
  newKeyFile: string | null;
} {
  if (config.keys.server !== null || config.keys.master !== null) return { ...config.keys, newKeyFile: null };
  const file = firstKeyFile(config.dataDir);
  let key: string;
  let isNew = true;
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    key = `sk-vs-${randomBytes(24).toString("base64url")}`;
    keep(file, key);
  } catch (error) {
    key = readKept(file, error);
    isNew = false;
  }
  if (key === "")
    throw new StartupError(`The file ${file} is empty. Remove it to get a new key, or set SERVER_API_KEY.`);
  return { server: key, master: null, newKeyFile: isNew ? file : null };
}

/**
 * Writes the key file, complete at once: of two processes that start together, one succeeds and the other gets EEXIST
 * and finds the complete key.
 */
function keep(file: string, key: string): void {
  const own = `${file}.${randomBytes(4).toString("hex")}`;
  const options = { mode: 0o600, flag: "wx" };
  writeFileSync(own, `${key}\n`, options);
  try {
    linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    // A file system without hard links.
    writeFileSync(file, `${key}\n`, options);
  } finally {
    rmSync(own, { force: true });
  }
}

/** The key of an earlier start. @param failure why none could be written; usually because one exists */
function readKept(file: string, failure: unknown): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    const code = (failure as NodeJS.ErrnoException).code ?? "unknown";
    throw new StartupError(
      `No key is configured and none can be stored in ${file} (${code}). Set SERVER_API_KEY, or another DATA_DIR.`,
    );
  }
}
