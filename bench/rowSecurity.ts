import { type RawDatabase, type Target, openRaw } from "./database.js";
import { type Pair, alternate } from "./pairs.js";
import { recordSearches, replay } from "./recording.js";
import type { Pace } from "./searching.js";

/** The tables that a search reads rows of stores from. */
const tables = ["embeddings", "vector_store_vectors"];
const roles = { free: "bench_free", bound: "bench_bound" };
const user = "user-0";

/**
 * The statements of searches by a role of PostgreSQL that owns nothing, without and with row-level security on the
 * rows. It is as cheap as it can be: the user is set once for the connection, where a pool would have to say it for
 * each transaction; and the policy looks only at owners, not at permissions.
 */
export async function compareRowSecurity(
  target: Target,
  storeId: string,
  searches: readonly { vector: Float32Array }[],
  pace: Pace,
  limit: number,
): Promise<Pair> {
  const recorded = await recordSearches(target.environment, storeId, searches, limit);
  const raw = await openRaw(target.environment);
  await prepare(raw, storeId);
  const pair = await raw.session((free) =>
    raw.session(async (bound) => {
      const searchAs = async (query: typeof free, role: string) => {
        await query(`SET ROLE ${role}`);
        await query(`SET bench.user_id = '${user}'`);
        const one: RawDatabase = { ...raw, query, session: (work) => work(query) };
        return async (turn: number) => {
          const rows = await replay(one, recorded[turn % recorded.length] ?? []);
          if (rows.length !== limit) throw new Error(`${rows.length} rows were found, not ${limit}`);
        };
      };
      const compared = await alternate(pace, await searchAs(free, roles.free), await searchAs(bound, roles.bound));
      for (const query of [free, bound]) await query("RESET ROLE");
      return compared;
    }),
  );
  for (const role of Object.values(roles)) await raw.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await raw.close();
  return pair;
}

async function prepare(raw: RawDatabase, storeId: string): Promise<void> {
  await raw.query("UPDATE vector_stores SET owner_user_id = $1 WHERE id = $2", [user, storeId]);
  for (const role of Object.values(roles)) {
    await raw.query(`DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
    await raw.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`);
  }
  await raw.query(`ALTER ROLE ${roles.free} BYPASSRLS`);
  for (const table of tables) {
    await raw.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
    await raw.query(
      `CREATE POLICY bench_owned ON ${table} USING (vector_store_id IN
         (SELECT s.id FROM vector_stores AS s WHERE s.owner_user_id = current_setting('bench.user_id')))`,
    );
  }
}
