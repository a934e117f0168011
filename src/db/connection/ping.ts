import type { PostgresPool, PostgresPoolClient } from "kysely";
import type { Database } from "../database.js";

/** The same pool, and how many statements it has answered so far. */
export function countAnswers(pool: PostgresPool): { pool: PostgresPool; answers: () => number } {
  let answers = 0;
  const counted: PostgresPool = {
    async connect() {
      const client = await pool.connect();
      const run = client.query.bind(client);
      const query = async (text: string, values: readonly unknown[]) => {
        const result = await run(text, values);
        answers += 1;
        return result;
      };
      return {
        // Kysely's second overload is for cursors, which are not used here.
        query: query as unknown as PostgresPoolClient["query"],
        release: () => {
          client.release();
        },
      };
    },
    end: () => pool.end(),
  };
  return { pool: counted, answers: () => answers };
}

/**
 * `Database.ping`. Where the only connection serves everybody (embedded), the question waits its turn; other answers
 * meanwhile prove as well that the database works.
 */
export function pingOn(pool: PostgresPool, answers: () => number): Database["ping"] {
  let version = "unknown";
  const ask = async () => {
    const client = await pool.connect();
    try {
      const { rows } = await client.query<{ server: string }>("SELECT current_setting('server_version') AS server", []);
      version = rows[0]?.server ?? version;
    } finally {
      client.release();
    }
  };
  return async (limitMs) => {
    const before = answers();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        if (answers() !== before) resolve();
        else reject(new Error("time limit"));
      }, limitMs);
    });
    const asked = ask();
    // It may fail after the limit; without this, the rejection would be unhandled.
    asked.catch(() => undefined);
    try {
      await Promise.race([asked, limit]);
      return version;
    } finally {
      clearTimeout(timer);
    }
  };
}
