import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.js";
import { version } from "./version.js";

/** What this process does: answer the API and work in the background, or only the latter. */
export type Role = "server" | "worker";

const say = (config: Config, lines: readonly string[]) => {
  if (config.logLevel !== "silent") process.stderr.write(`${lines.join("\n")}\n`);
};

/** At once, because opening the database may take seconds. */
export function announceStart(config: Config, role: Role): void {
  const isFirst = config.database.url === null && !existsSync(join(config.dataDir, "pglite"));
  const first = isFirst ? ` The first start creates a database in ${config.dataDir}, which takes some seconds.` : "";
  say(config, [`vector-store ${version}${role === "worker" ? " (worker)" : ""} is starting.${first}`]);
}

/**
 * Tells a person how to use the server. Does not print the key itself, because terminals and log collectors keep
 * output.
 */
export function announce(facts: {
  config: Config;
  port: number;
  newKeyFile: string | null;
  builtIn: boolean;
  role: Role;
  /** Whether there is a web page to go to. */
  hasPage: boolean;
}) {
  const { config, port, newKeyFile, builtIn, role, hasPage } = facts;
  const local = `http://localhost:${port}`;
  const url = config.apiUrl ?? local;
  if (role === "worker") {
    say(config, [`vector-store ${version} (worker) has begun; its health is at ${local}/health`]);
    return;
  }
  say(config, [
    `vector-store ${version} is at ${url}/v1 (${hasPage ? `page: ${url}${config.page.basePath}, ` : ""}docs: ${url}/docs)`,
    ...(newKeyFile === null
      ? []
      : [`A key was generated. Use it with:  export VECTOR_STORE_KEY="$(cat ${quoted(newKeyFile)})"`]),
    ...(builtIn
      ? [
          "Embeddings: the built-in embedder, which compares words, not meaning. Set LITELLM_PROXY_URL for semantic search.",
        ]
      : []),
  ]);
}

/** A file name as one word of a shell command. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) && !file.startsWith("-") ? file : `'${file.replaceAll("'", `'\\''`)}'`;
}
