import { sql } from "kysely";
import { StartupError, errorCode } from "../../words/errors.js";
import type { Executor } from "../executor.js";

/** 0.7 brought halfvec and the indexing of 4,000 dimensions. */
const oldest = [0, 7] as const;

/** Is this version of pgvector, e.g. "0.8.1", too old for us? */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

/**
 * Makes sure that pgvector is installed, and creates the extension if the role may.
 * @param schema the URL's own, which then determines the search path
 * @throws StartupError with the command that an administrator has to run.
 */
export async function requireVectorExtension(tx: Executor, schema: string | null): Promise<void> {
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
  if (isTooOld(version)) {
    const remedy =
      installed === null
        ? "Install a newer package on the database server."
        : "Update the package, then run: ALTER EXTENSION vector UPDATE;";
    throw new StartupError(`The pgvector extension has version ${version}; 0.7 or later is needed. ${remedy}`);
  }
  if (installed !== null) return requireOnSearchPath(tx, schema);
  try {
    // In "public", where every schema's installation finds it, not in the first schema of this one's search path.
    const { rows: usable } = await sql`
      SELECT 1 FROM pg_namespace WHERE nspname = 'public' AND has_schema_privilege(oid, 'CREATE')`.execute(tx);
    await sql`CREATE EXTENSION vector ${usable.length > 0 ? sql`SCHEMA public` : sql``}`.execute(tx);
  } catch (error) {
    if (errorCode(error) !== "42501") throw error;
    throw new StartupError(
      "The database role may not create the pgvector extension. Let an administrator run, in this database: CREATE EXTENSION vector;",
    );
  }
}

/** pgvector's types and operators are written without their schema. */
async function requireOnSearchPath(tx: Executor, schema: string | null): Promise<void> {
  // Other users of the extension keep it where it is: only this role's search path changes.
  const { rows } = await sql<{ hidden: string; remedy: string }>`
    SELECT n.nspname::text AS hidden,
      format('ALTER ROLE %I IN DATABASE %I SET search_path = %s, %I;',
        session_user, current_database(), current_setting('search_path'), n.nspname) AS remedy
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector' AND NOT n.nspname = ANY (current_schemas(true))`.execute(tx);
  const [found] = rows;
  if (found === undefined) return;
  const first =
    schema === null ? "Run" : "Leave ?schema= out of DATABASE_URL, because it sets a search path too, and run";
  throw new StartupError(
    `The pgvector extension is in the schema "${found.hidden}", which is not on the search path of this connection. ` +
      `${first}, as this role or as an administrator: ${found.remedy} If that is not enough, the role needs USAGE on that schema.`,
  );
}
