import type { Deps } from "../../src/core/deps.js";
import { giveEngine } from "../support/engine.js";

/**
 * Replaces the database's list of running index builds, because a real build takes an unpredictable time; all else is
 * real.
 */
export function withBuilds(deps: Deps, builds: { phase: string; done: number; total: number }[]): Deps {
  const replaced = new WeakSet();
  const run = deps.db.run.withPlugin({
    transformQuery: ({ node, queryId }) => {
      if (JSON.stringify(node).includes("pg_stat_progress_create_index")) replaced.add(queryId);
      return node;
    },
    transformResult: ({ result, queryId }) =>
      Promise.resolve(replaced.has(queryId) ? { ...result, rows: builds } : result),
  });
  const played = { ...deps, db: { ...deps.db, run } };
  giveEngine({ deps: played });
  return played;
}
