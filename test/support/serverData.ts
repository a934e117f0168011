import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

/** Data that outlives the processes working on it: a directory, or a database on the PostgreSQL that TEST_DATABASE_URL names. */
export interface ServerData {
  kind: "postgres" | "pglite";
  /** The settings that name it. */
  environment: Record<string, string>;
  remove(): Promise<void>;
}

export async function createServerData(): Promise<ServerData> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  return serverUrl === undefined || serverUrl === "" ? createDirectory() : createDatabase(serverUrl);
}

/** A data directory that an embedded database was made in already: making one takes seconds. */
function createDirectory(): ServerData {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-data-"));
  mkdirSync(join(directory, "pglite"));
  execFileSync("tar", ["-xf", process.env.TEST_PGLITE_DUMP ?? "", "-C", join(directory, "pglite")], {
    stdio: "ignore",
  });
  return {
    kind: "pglite",
    environment: { DATA_DIR: directory },
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

async function createDatabase(serverUrl: string): Promise<ServerData> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    kind: "postgres",
    environment: { DATABASE_URL: url.toString() },
    remove: async () => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
