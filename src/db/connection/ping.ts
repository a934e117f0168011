import { sql } from "kysely";
import type { Db } from "../database.js";

/** Versions of the server and of pgvector; by answering at all, proof that the database works. */
export async function databaseVersions(db: Db): Promise<{ server: string; pgvector: string }> {
  const { rows } = await sql<{ server: string; pgvector: string }>`
    SELECT current_setting('server_version') AS server,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector`.execute(db.run);
  return rows[0] ?? { server: "unknown", pgvector: "unknown" };
}
