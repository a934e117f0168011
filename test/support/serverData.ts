import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { databaseAt, emptyDump, testServer } from "./testServer.js";

/** Data that outlives its processes: a directory, or a database on the PostgreSQL that TEST_DATABASE_URL names. */
export interface ServerData {
  kind: "postgres" | "pglite";
  /** The settings for it. */
  environment: Record<string, string>;
  /** The database for a test's own statements; null: embedded, which only the processes can open. */
  direct: string | null;
  remove(): Promise<void>;
}

export async function createServerData(): Promise<ServerData> {
  const server = testServer();
  return server === null ? createDirectory() : createDatabase(server);
}

/** A data directory with an existing embedded database, because creating one takes seconds. */
function createDirectory(): ServerData {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-data-"));
  mkdirSync(join(directory, "pglite"));
  execFileSync("tar", ["-xf", emptyDump(), "-C", join(directory, "pglite")], {
    stdio: "ignore",
  });
  return {
    kind: "pglite",
    environment: { DATA_DIR: directory },
    direct: null,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

async function createDatabase({ url, direct }: { url: string; direct: string }): Promise<ServerData> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: direct });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  return {
    kind: "postgres",
    environment: { DATABASE_URL: databaseAt(url, name) },
    direct: databaseAt(direct, name),
    remove: async () => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
