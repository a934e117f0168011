import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { loadConfig } from "../../src/process/config.js";
import { openDatabase } from "../../src/db/connection/openDatabase.js";
import { createLog } from "../../src/process/log.js";
import { type TestDatabase } from "./database.js";
import { testDimensions } from "./settings.js";
import { databaseAt, testServer } from "./testServer.js";
import type { Database } from "../../src/db/database.js";

/** True if the tests run on a PostgreSQL server: roles, schemas and many connections exist only there. */
export const onServer = testServer() !== null;

/** True behind a pooler in transaction mode, which supports neither startup options nor session state. */
export const pooled = testServer()?.url.includes("pgbouncer=true") ?? false;

/** The URL of a test's own database, with parameters and optionally another role. */
export async function urlOf(database: TestDatabase, parameters = "", role?: string): Promise<string> {
  const [row] = await database.query<{ name: string }>("SELECT current_database()::text AS name");
  const url = new URL(databaseAt(testServer()?.url ?? "", row?.name ?? ""));
  for (const [name, value] of new URLSearchParams(parameters)) url.searchParams.set(name, value);
  if (role !== undefined) url.username = role;
  return url.toString();
}

/** Opens a server's database like main.ts. */
export function openUrl(url: string, environment: Record<string, string> = {}): Promise<Database> {
  const settings = { DATABASE_URL: url, EMBEDDING__DIMENSIONS: String(testDimensions), ...environment };
  return openDatabase(loadConfig(settings), createLog("silent"));
}

/** A role that may only log in. Roles belong to the whole server, so remove it after its database. */
export async function makeRole(database: TestDatabase): Promise<string> {
  const name = `test_role_${randomBytes(6).toString("hex")}`;
  await database.exec(`CREATE ROLE ${name} LOGIN`);
  return name;
}

export async function valueOf(db: Database, expression: string): Promise<unknown> {
  const { rows } = await sql<{ value: unknown }>`SELECT ${sql.raw(expression)} AS value`.execute(db.run);
  return rows[0]?.value;
}

/** Waits until the condition holds. */
export async function until(question: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error("the condition did not hold within 120 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
