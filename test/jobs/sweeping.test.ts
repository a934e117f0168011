import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { startSweeping } from "../../src/jobs/sweeping.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowsInTable, rowsOf, batchPath } from "../support/stores.js";

const day = 24 * 60 * 60 * 1000;
const tenMinutes = 10 * 60 * 1000;

let service: TestService;
let warnings: string[];
let stop: () => Promise<void>;

beforeEach(async () => {
  service = await startService();
  warnings = [];
  // The database's own timers stay real.
  jest.useFakeTimers({
    doNotFake: ["setTimeout", "setImmediate", "nextTick", "queueMicrotask", "Date", "performance"],
  });
});
afterEach(async () => {
  await stop();
  jest.useRealTimers();
  await service.close();
});

const start = () => {
  const log = { info: () => undefined, warn: (_about: object, message: string) => warnings.push(message) };
  ({ stop } = startSweeping({ ...service.deps, log: log as never }));
};

/** One of everything that expires. */
async function makeExpiring(): Promise<void> {
  const store = await createStore(service, { expires_after: { anchor: "last_active_at", days: 1 } });
  await service.post(batchPath(store), { embeddings: rowsOf(3) }).expect(200);
  const about = { purpose: "assistants", filename: "a.txt", bytes: 5, mime_type: "text/plain" };
  await service.post("/v1/uploads", about).expect(200);
}
const left = async () => ({
  rows: await rowsInTable(service),
  stores: (await service.database.query("SELECT id FROM vector_stores")).length,
  pending: (await service.database.query("SELECT id FROM vector_store_uploads WHERE status = 'pending'")).length,
});

describe("the sweep", () => {
  test("removes what has long expired every ten minutes, and nothing else", async () => {
    await makeExpiring();
    start();
    jest.advanceTimersByTime(tenMinutes);
    await stop();
    expect(await left()).toEqual({ rows: 3, stores: 1, pending: 1 });
    service.advance(400 * day);
    start();
    jest.advanceTimersByTime(tenMinutes - 1);
    await stop();
    expect(await left()).toEqual({ rows: 3, stores: 1, pending: 1 });
    start();
    jest.advanceTimersByTime(tenMinutes);
    await stop();
    expect(await left()).toEqual({ rows: 0, stores: 0, pending: 0 });
  });

  test("one that fails is logged, and the next one does its work", async () => {
    await makeExpiring();
    service.advance(400 * day);
    await service.database.exec("ALTER TABLE vector_store_uploads RENAME TO away");
    start();
    jest.advanceTimersByTime(tenMinutes);
    await stop();
    expect(warnings).toHaveLength(1);
    await service.database.exec("ALTER TABLE away RENAME TO vector_store_uploads");
    start();
    jest.advanceTimersByTime(tenMinutes);
    await stop();
    expect(warnings).toHaveLength(1);
    expect(await left()).toEqual({ rows: 0, stores: 0, pending: 0 });
  });

  test("two never run at once", async () => {
    const engine = service.deps.engine;
    await makeExpiring();
    service.advance(400 * day);
    let running = 0;
    let most = 0;
    service.deps.engine = {
      ...engine,
      drop: async (change, bounds) => {
        running += 1;
        most = Math.max(most, running);
        try {
          return await engine.drop(change, bounds);
        } finally {
          running -= 1;
        }
      },
    };
    start();
    jest.advanceTimersByTime(3 * tenMinutes);
    await stop();
    expect(most).toBe(1);
    expect(warnings).toEqual([]);
  });
});
