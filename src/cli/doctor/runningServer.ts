import type { Config } from "../../process/config.js";
import { findServer } from "../connection.js";
import type { Address } from "../failures.js";
import { readIndexing, slowestBuild } from "../indexing.js";
import { CommandError, type Io } from "../io.js";
import type { Findings } from "../../core/status/doctor/findings.js";
import { describeCounts } from "../../core/status/doctor/indexes.js";
import { connectionCode, printable } from "../../words/readable.js";

const limitMs = 5000;

interface HealthAnswer {
  status?: string;
  version?: string;
  database?: { kind?: string; version?: string | null; pgvector?: string | null };
  embedding?: { dimensions?: number };
  indexing?: unknown;
}

/** Asks the server that has the embedded database open, since only one process can open it. */
export async function checkThroughServer(
  config: Config,
  url: string | undefined,
  io: Io,
  findings: Findings,
): Promise<void> {
  const held = `the embedded database in ${config.dataDir} is in use by a running process`;
  const todo =
    "Name the server with --url or VECTOR_STORE_URL, or stop the process that has the database open and run the doctor again.";
  let address: Address;
  try {
    address = findServer({ url }, io);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    findings.fail("database", `${held}. ${error.message}`, todo);
    return;
  }
  const health = await askHealth(address.url);
  if (typeof health === "string") {
    findings.fail("database", `${held}, and no server answers at ${address.url}/health (${health})`, todo);
    return;
  }
  const { version, database, embedding } = health;
  if (health.status !== "healthy" || database?.kind !== "pglite") {
    const what =
      database?.kind === "pglite" ? `says: ${printable(health.status ?? "nothing")}` : "does not have it open";
    findings.fail("database", `${held}; the server at ${address.url} ${what}`, todo);
    return;
  }
  findings.ok(
    "database",
    `PostgreSQL ${printable(database.version ?? "?")}, ${held}; asked the server ${printable(version ?? "")} at ${address.url}: healthy`,
  );
  findings.ok("pgvector", `version ${printable(database.pgvector ?? "?")}`);
  findings.ok("migrations", "all applied, or the server would not have started");
  if (embedding?.dimensions === config.embedding.dimensions)
    findings.ok("dimensions", `${config.embedding.dimensions}, like the server`);
  else
    findings.warn(
      "dimensions",
      `EMBEDDING__DIMENSIONS is ${config.embedding.dimensions} here, but ${embedding?.dimensions ?? "unknown"} in the running server`,
      "Run the doctor with the server's settings (same working directory and environment).",
    );
  reportIndexing(health, config, findings);
}

function reportIndexing(health: HealthAnswer, config: Config, findings: Findings): void {
  // Older servers do not report them.
  if (health.indexing === undefined) return;
  const indexing = readIndexing(health);
  if (indexing === null) {
    findings.warn("indexes", "the server did not report them in time", "Run the doctor again.");
    return;
  }
  const build = slowestBuild(indexing);
  const progress = build === undefined ? "" : `; under way: ${printable(`${build.phase} ${build.progress}`.trimEnd())}`;
  findings.ok("indexes", `${describeCounts(indexing.stores, config.indexing.minRows)}${progress}`);
}

/** The answer of /health, even of an unhealthy server; a text says why there is none. */
async function askHealth(url: string): Promise<HealthAnswer | string> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(limitMs) });
    const answer: unknown = await response.json();
    return typeof answer === "object" && answer !== null ? answer : `HTTP ${response.status}`;
  } catch (error) {
    return connectionCode(error);
  }
}
