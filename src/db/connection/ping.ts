import { sql } from "kysely";
import type { Db } from "../database.js";

/** The version of the server; by answering at all, proof that the database works. */
export async function databaseVersion(db: Db): Promise<string> {
  const { rows } = await sql<{ server: string }>`SELECT current_setting('server_version') AS server`.execute(db.run);
  return rows[0]?.server ?? "unknown";
}
