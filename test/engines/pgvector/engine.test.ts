import { createPgvector } from "../../../src/engines/pgvector/pgvector.js";
import { createLog } from "../../../src/process/log.js";
import { createMetrics } from "../../../src/process/metrics.js";
import { createTestDatabase } from "../../support/database.js";
import { describeEngine } from "../engineSuite.js";
import { failingDatabase } from "./failingDatabase.js";

describeEngine("pgvector", async () => {
  const database = await createTestDatabase();
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
});
