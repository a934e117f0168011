import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createTestDatabase } from "../../support/database.js";
import { tablesWithKeyOnId } from "../../support/keyOnId.js";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  recordingLitellm,
  rowOf,
  rowsOf,
  rowsPath,
  storedRows,
} from "../../support/stores.js";

/** Writers of the same rows wait for each other, however often others overtake them. */

const { litellm } = recordingLitellm((text) => text.length);
let service: TestService;
let overAll: TestService;
beforeAll(async () => {
  service = await startService({ litellm });
  const database = await createTestDatabase();
  await database.exec(tablesWithKeyOnId);
  overAll = await startService({ database, litellm });
});
afterAll(async () => {
  await service.close();
  await overAll.close();
});

const rules = ["replace", "skip", "replace"] as const;

/** Half of 12 writers put these rows, each in an order of its own, and half remove them. */
async function writeAtOnce(on: TestService, stores: readonly string[], ids: readonly string[]) {
  const statuses = Array.from({ length: 12 }, async (_, w) => {
    const store = stores[w % stores.length] ?? "";
    const seen: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const rows = ids.map((id, i) => rowOf(w * 1000 + n * 10 + i, { id }));
      const embeddings = w % 3 === 0 ? rows.toReversed() : rows;
      const sent =
        w % 4 < 2
          ? on.post(batchPath(store), { embeddings, on_conflict: rules[n % 3] })
          : on.delete(rowsPath(store), n % 2 === 0 ? { ids } : { all: true });
      seen.push((await sent).status);
    }
    return seen;
  });
  return new Set((await Promise.all(statuses)).flat());
}
const ids = Array.from({ length: 6 }, (_, i) => `same-${i}`);

test("others remove them meanwhile", async () => {
  const store = await createStore(service);
  expect(await writeAtOnce(service, [store], ids)).toEqual(new Set([200]));
  const stored = await storedRows(service, store);
  expect(await countsOf(service, store)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
});

test("the same where ids are unique over all stores, in two of them", async () => {
  const stores = [await createStore(overAll), await createStore(overAll)];
  const statuses = await writeAtOnce(overAll, stores, ids);
  expect([...statuses].filter((status) => status !== 200 && status !== 409)).toEqual([]);
  for (const store of stores) {
    const stored = await storedRows(overAll, store);
    expect(await countsOf(overAll, store)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
  }
});

test("rows that need no vector change again and again: in the end all are embedded, and stored", async () => {
  const store = await createStore(service);
  const rows = rowsOf(8, (seed) => ({ id: `changing-${seed}` })).map((row) => ({ ...row, embedding: null }));
  await service.post(batchPath(store), { embeddings: rows }).expect(200);
  const { engine } = service.deps;
  let changed = 0;
  service.deps.engine = {
    ...engine,
    compare: async (...given) => {
      const compared = await engine.compare(...given);
      const id = rows[changed]?.id ?? "";
      changed += 1;
      await service.patch(`${rowsPath(store)}/${id}`, { content: "changed meanwhile" }).expect(200);
      return compared;
    },
  };
  try {
    await service.post(batchPath(store), { embeddings: rows, on_conflict: "replace" }).expect(200);
  } finally {
    service.deps.engine = engine;
  }
  expect(changed).toBe(3);
  const contents = (await storedRows(service, store)).map(({ content }) => content);
  expect(contents.sort()).toEqual(rows.map(({ content }) => content).sort());
});
