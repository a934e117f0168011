import { createPgvector } from "../../../src/engines/pgvector/pgvector.js";
import { createLog } from "../../../src/process/log.js";
import { createMetrics } from "../../../src/process/metrics.js";
import { createTestDatabase } from "../../support/database.js";
import { describeEngine } from "../engineSuite.js";

describeEngine("pgvector", async () => {
  const database = await createTestDatabase();
  const { db, config } = await database.open();
  let offset = 0;
  const now = () => Date.now() + offset;
  const log = createLog("silent");
  const engine = createPgvector({ db, config, log, metrics: createMetrics(), now, wake: () => undefined });
  return {
    engine,
    db,
    now,
    advance: (millis) => (offset += millis),
    runs: 25,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
});
