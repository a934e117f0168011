import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.js";
import { StartupError } from "./errors.js";

export const firstKeyFile = (dataDir: string) => join(dataDir, "server-key");

/**
 * The keys that open the server. With none configured the first start makes one and keeps it in the data directory, readable by its
 * owner alone: there is never an open server and never a default key.
 */
export function serverKeys(config: Config): {
  server: string | null;
  master: string | null;
  generatedIn: string | null;
} {
  if (config.keys.server !== null || config.keys.master !== null) return { ...config.keys, generatedIn: null };
  const file = firstKeyFile(config.dataDir);
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    // "wx": of two processes that start at once one writes, and both then read the same key.
    writeFileSync(file, `sk-vs-${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new StartupError(
        `No key is configured and none can be kept in ${file} (${(error as NodeJS.ErrnoException).code ?? "unknown"}). Set SERVER_API_KEY.`,
      );
    }
  }
  const key = readFileSync(file, "utf8").trim();
  if (key === "")
    throw new StartupError(`The file ${file} is empty. Remove it to have a new key made, or set SERVER_API_KEY.`);
  return { server: key, master: null, generatedIn: file };
}
