import { createPgvector } from "../../../src/engines/pgvector/pgvector.js";
import { createLog } from "../../../src/process/log.js";
import { createMetrics } from "../../../src/process/metrics.js";
import { createTestDatabase } from "../../support/database.js";
import { tablesWithKeyOnId } from "../../support/keyOnId.js";
import { describeEngine } from "../engineSuite.js";
import type { EngineUnderTest } from "../suite/support.js";
import { failingDatabase } from "./failingDatabase.js";

/** On new tables, where ids are unique in each store, and on tables with a key on the id alone. */
describeEngine("pgvector", () => open(""));
describeEngine("pgvector, ids over all stores", () => open(tablesWithKeyOnId));

async function open(tables: string): Promise<EngineUnderTest> {
  const database = await createTestDatabase();
  await database.exec(tables);
  const { db: real, config } = await database.open();
  const { db, fail } = failingDatabase(real);
  let offset = 0;
  const now = () => Date.now() + offset;
  const log = createLog("silent");
  const engine = createPgvector({ db, config, log, metrics: createMetrics(), now, wake: () => undefined });
  return {
    engine,
    db: real,
    fail,
    now,
    advance: (millis) => (offset += millis),
    runs: 25,
    close: async () => {
      await real.close();
      await database.drop();
    },
  };
}
