import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Pgvector } from "../../../src/engines/pgvector/context.js";
import { stateOf } from "../../../src/engines/pgvector/state.js";
import { type Probed, probeNext, probeRecall } from "../../../src/engines/pgvector/upkeep/recallProbe.js";
import { giveEngine } from "../../support/engine.js";
import { pino } from "pino";
import { findStore } from "../../../src/db/tables/stores.js";
import { startProbing } from "../../../src/jobs/probing.js";
import { testDimensions } from "../../support/settings.js";
import { type TestService, startService } from "../../support/service.js";
import { testVector } from "../../support/vectors.js";
import { batchPath, createStore, rowsOf } from "../../support/stores.js";

let service: TestService;
let pg: Pgvector;
beforeAll(async () => {
  service = await startService({ environment: { INDEX_MIN_ROWS: "100" } });
  pg = giveEngine(service);
});
beforeEach(() => service.database.exec("DELETE FROM embeddings; DELETE FROM vector_stores"));
afterAll(() => service.close());

async function makeIndexed(): Promise<string> {
  const id = await createStore(service);
  await service.post(batchPath(id), { embeddings: rowsOf(300), return: "count" }).expect(200);
  await service.deps.engine.upkeep(() => Promise.resolve(true));
  return id;
}

async function storeOf(id: string) {
  const store = await findStore(service.db, { kind: "all" }, id);
  if (store === undefined) throw new Error("the store is gone");
  return store;
}

async function gauges(): Promise<Record<string, number>> {
  const { recall, recallStores, recallAt } = service.deps.metrics;
  const of = async (gauge: typeof recallStores) => (await gauge.get()).values[0]?.value ?? NaN;
  const ratios = (await recall.get()).values.map(({ labels, value }) => [String(labels.statistic), value]);
  return {
    ...(Object.fromEntries(ratios) as Record<string, number>),
    stores: await of(recallStores),
    at: await of(recallAt),
  };
}

test("a sound index finds the exact nearest rows; a store without one is not probed", async () => {
  const id = await makeIndexed();
  expect(await probeRecall(pg, await storeOf(id))).toBeGreaterThan(0.9);
  const plain = await createStore(service);
  expect(await probeRecall(pg, await storeOf(plain))).toBeNull();
});

test("a wrong index shows as low recall, and the log names its store", async () => {
  const id = await createStore(service);
  // Rows so close to each other that an exact search compares the record's vectors of all of them.
  const embeddings = Array.from({ length: 300 }, (_, n) => {
    const noise = testVector(n + 1, testDimensions);
    return { content: `row ${n}`, embedding: noise.map((each, i) => (i === 0 ? 1 : each / 1000)) };
  });
  await service.post(batchPath(id), { embeddings, return: "count" }).expect(200);
  await service.deps.engine.upkeep(() => Promise.resolve(true));
  const { vectorsTable } = stateOf(await storeOf(id));
  // Every row gets another one's derived vector: the index now finds neighbours of the wrong row.
  const own = `vector_store_vectors_${vectorsTable ?? ""}`;
  await service.database.exec(`
    WITH numbered AS (SELECT id, embedding, row_number() OVER (ORDER BY id) AS n FROM ${own}),
         shuffled AS (SELECT id, embedding, row_number() OVER (ORDER BY md5(id)) AS n FROM ${own})
    UPDATE ${own} AS v SET embedding = s.embedding FROM numbered AS o JOIN shuffled AS s USING (n) WHERE v.id = o.id`);
  expect(await probeRecall(pg, await storeOf(id))).toBeLessThan(0.7);

  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  await probeNext({ ...pg, log }, new Map());
  expect(await gauges()).toMatchObject({ stores: 1, worst: expect.any(Number) });
  expect(lines).toMatchObject([{ vectorStore: id, msg: expect.stringContaining("reindex") }]);
});

test("the mean and the worst of all probed stores are published, and stores that are gone are forgotten", async () => {
  const probed: Probed = new Map();
  const [first, second] = [await makeIndexed(), await makeIndexed()];
  await probeNext(pg, probed);
  expect([...probed.keys()].sort()).toEqual([first, second].sort());
  const both = await gauges();
  expect(both).toMatchObject({ stores: 2, at: expect.any(Number) });
  expect(both.worst).toBeLessThanOrEqual(both.mean ?? 0);
  expect(both.mean).toBeGreaterThan(0.9);

  await service.delete(`/v1/vector_stores/${first}`).expect(200);
  await probeNext(pg, probed);
  expect([...probed.keys()]).toEqual([second]);
  await service.delete(`/v1/vector_stores/${second}`).expect(200);
  await probeNext(pg, probed);
  expect(await gauges()).toEqual({ stores: 0, at: expect.any(Number) });
});

test("RECALL_PROBE_MINUTES=0 never probes, and a waiting probe ends with the service", async () => {
  const never = {
    ...service.deps,
    config: { ...service.config, indexing: { ...service.config.indexing, probeMs: null } },
  };
  await startProbing(never)();
  await startProbing(service.deps)();
});
