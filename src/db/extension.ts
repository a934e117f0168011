import { sql } from "kysely";
import { StartupError } from "../errors.js";
import type { Executor } from "./database.js";
import { errorCode } from "./errors.js";

/** 0.7 brought halfvec and the indexing of 4,000 dimensions. */
const oldest = [0, 7] as const;

/**
 * Makes sure that pgvector is there, creating the extension where the role may.
 * @throws StartupError with the command an administrator has to run.
 */
export async function requireVectorExtension(tx: Executor): Promise<void> {
  const { rows } = await sql<{ installed: string | null; available: string | null }>`
    SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed,
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available`.execute(tx);
  const { installed = null, available = null } = rows[0] ?? {};
  const version = installed ?? available;
  if (version === null) {
    throw new StartupError(
      "The PostgreSQL server does not have pgvector. Install its package on the database server (version 0.7 or later; " +
        "the image pgvector/pgvector has it) and start again.",
    );
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    const remedy =
      installed === null
        ? "Install a newer package on the database server."
        : "Update the package, then run: ALTER EXTENSION vector UPDATE;";
    throw new StartupError(`The pgvector extension has version ${version}; 0.7 or later is needed. ${remedy}`);
  }
  if (installed !== null) return;
  try {
    await sql`CREATE EXTENSION vector`.execute(tx);
  } catch (error) {
    if (errorCode(error) !== "42501") throw error;
    throw new StartupError(
      "The database role may not create the pgvector extension. Let an administrator run, in this database: CREATE EXTENSION vector;",
    );
  }
}
