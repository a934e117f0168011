import type { FailureKind } from "../../src/engines/engine.js";
import { createTestDatabase } from "../support/database.js";
import { createMemoryEngine } from "../support/memoryEngine/engine.js";
import { describeEngine } from "./engineSuite.js";

describeEngine("memory", async () => {
  const database = await createTestDatabase();
  const { db } = await database.open();
  let offset = 0;
  const now = () => Date.now() + offset;
  let failing: FailureKind | null = null;
  const engine = createMemoryEngine({ db, now, failing: () => failing });
  return {
    engine,
    db,
    fail: (kind) => (failing = kind),
    now,
    advance: (millis) => (offset += millis),
    runs: 100,
    close: async () => {
      await db.close();
      await database.drop();
    },
  };
});
