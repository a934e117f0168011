import { sql } from "kysely";
import type { Executor } from "../executor.js";
import { type Tables, quote } from "./tables.js";

/** The statements by which an administrator lets this role prepare another program's tables: those that it lacks. */
export async function rightsNeeded(db: Executor, { vectorStores, embeddings }: Tables): Promise<string[]> {
  const tables = [vectorStores, embeddings];
  const { rows } = await sql<{ role: string; closed: string[]; foreign: string[] }>`
    SELECT current_user::text AS role,
           ARRAY(SELECT n.nspname::text FROM pg_namespace AS n
                 WHERE n.nspname = ANY(${tables.map((each) => each.schema)}::text[])
                   AND NOT has_schema_privilege(n.oid, 'CREATE') ORDER BY 1) AS closed,
           ARRAY(SELECT t.name FROM unnest(${tables.map((each) => each.quoted)}::text[]) WITH ORDINALITY AS t(name, n)
                 JOIN pg_class AS c ON c.oid = to_regclass(t.name)
                 WHERE NOT pg_has_role(c.relowner, 'USAGE') ORDER BY t.n) AS foreign`.execute(db);
  const { role, closed, foreign } = rows[0] ?? { role: "", closed: [], foreign: [] };
  return [
    ...closed.map((schema) => `GRANT CREATE ON SCHEMA ${quote(schema)} TO ${quote(role)};`),
    ...foreign.map((table) => `ALTER TABLE ${table} OWNER TO ${quote(role)};`),
  ];
}
