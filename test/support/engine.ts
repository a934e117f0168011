import type { Pgvector, PgvectorParts } from "../../src/engines/pgvector/context.js";
import { createContext, engineOn } from "../../src/engines/pgvector/pgvector.js";
import type { TestService } from "./service.js";

/** Gives a service a pgvector engine whose internals the test can access. @param changes replaced parts */
export function giveEngine({ deps }: Pick<TestService, "deps">, changes: Partial<PgvectorParts> = {}): Pgvector {
  const { config, db, log, metrics, now } = deps;
  const pg = createContext({ config, db, log, metrics, now, wake: () => undefined, ...changes });
  deps.engine = engineOn(pg);
  return pg;
}
