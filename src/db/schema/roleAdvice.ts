import { sql } from "kysely";
import type { Executor } from "../executor.js";
import { type Table, type Tables, beside, quote } from "./tables.js";

interface Found {
  role: string;
  /** Schemas where the role may not create tables, and those that do not exist. */
  closed: string[];
  absent: string[];
  /** Tables and sequences of somebody else, by their place among those that were asked for. */
  foreign: { n: number; sequence: boolean }[];
}

/**
 * The statements by which an administrator lets this role prepare the tables and serve them: those that it lacks.
 * Another role may have made some or all of the tables, as their program's setup or `vector-store migrate`.
 */
export async function rightsNeeded(db: Executor, tables: Tables): Promise<string[]> {
  const { vectorStores, embeddings, migrations, vectors, keywords, ours } = tables;
  const numbers = beside(vectors, `${vectors.name}_numbers`);
  const fixed = [vectorStores, embeddings, migrations, vectors, numbers, keywords, ...Object.values(ours)];
  const all = [...fixed, ...(await ownTables(db, vectors))];
  const schemas = [...new Set(all.map(({ schema }) => schema))];
  const { rows } = await sql<Found>`
    SELECT current_user::text AS role,
           ARRAY(SELECT n.nspname::text FROM pg_namespace AS n
                 WHERE n.nspname = ANY(${schemas}::text[]) AND NOT has_schema_privilege(n.oid, 'CREATE')
                 ORDER BY 1) AS closed,
           ARRAY(SELECT s.name FROM unnest(${schemas}::text[]) AS s(name)
                 WHERE NOT EXISTS (SELECT 1 FROM pg_namespace AS n WHERE n.nspname = s.name)) AS absent,
           (SELECT COALESCE(json_agg(json_build_object('n', t.n, 'sequence', c.relkind = 'S') ORDER BY t.n), '[]')
            FROM unnest(${all.map(({ schema }) => schema)}::text[], ${all.map(({ name }) => name)}::text[])
              WITH ORDINALITY AS t(schema, name, n)
            JOIN pg_namespace AS n ON n.nspname = t.schema
            JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
            WHERE NOT pg_has_role(c.relowner, 'USAGE')) AS foreign`.execute(db);
  const { role, closed, absent, foreign } = rows[0] ?? { role: "", closed: [], absent: [], foreign: [] };
  const owner = quote(role);
  return [
    ...absent.map((schema) => `CREATE SCHEMA ${quote(schema)} AUTHORIZATION ${owner};`),
    ...closed.map((schema) => `GRANT CREATE ON SCHEMA ${quote(schema)} TO ${owner};`),
    ...foreign.flatMap(({ n, sequence }) => {
      const quoted = all[n - 1]?.quoted;
      return quoted === undefined ? [] : `ALTER ${sequence ? "SEQUENCE" : "TABLE"} ${quoted} OWNER TO ${owner};`;
    }),
  ];
}

/** The tables of vectors that single stores have. */
async function ownTables(db: Executor, vectors: Table): Promise<Table[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname::text AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ${vectors.schema} AND c.relkind = 'r' AND starts_with(c.relname, ${`${vectors.name}_`})
      AND substr(c.relname, ${vectors.name.length + 2}::int) ~ '^[0-9]+$'
    ORDER BY c.oid`.execute(db);
  return rows.map(({ name }) => beside(vectors, name));
}
