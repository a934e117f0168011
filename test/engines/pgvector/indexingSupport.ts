/**
 * The service for suites about indexes. A suite that imports this module gets one, started before its tests, that
 * builds an index from 300 rows on.
 */
import { fullServer } from "../../../src/words/caller.js";
import { afterAll, beforeAll } from "@jest/globals";
import type { Pgvector } from "../../../src/engines/pgvector/context.js";
import { giveEngine } from "../../support/engine.js";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import { batchPath, createStore, rowsOf } from "../../support/stores.js";

export let service: TestService;
/** What the engine remembers between calls. */
export let pg: Pgvector;
beforeAll(async () => {
  service = await startService({ environment: { INDEX_MIN_ROWS: "300" } });
  pg = giveEngine(service);
});
afterAll(() => service.close());

/** All rounds until nothing is left to do. */
export async function settle(of: TestService = service): Promise<void> {
  const pace = () => Promise.resolve(true);
  while ((await of.deps.engine.upkeep(pace)) > 0);
}

export interface StoreBody {
  index: { state: string; keywords: string; indexed?: number; fresh?: number };
}
const storeOf = async (id: string) => (await service.get(`/v1/vector_stores/${id}`).expect(200)).body as StoreBody;
export const indexOf = async (id: string) => (await storeOf(id)).index;

export const fill = async (count: number, from = 0, body: object = {}, id?: string) => {
  const store = id ?? (await createStore(service, body));
  const rows = rowsOf(from + count, (seed) => ({
    id: `row-${store}-${String(seed).padStart(5, "0")}`,
    metadata: { n: seed, half: seed % 2 === 0, tenth: seed % 10 },
  })).slice(from);
  await service.post(batchPath(store), { embeddings: rows, return: "count" }).expect(200);
  return store;
};

export async function search(id: string, seed: number, body: object = {}): Promise<string[]> {
  const embedding = Float32Array.from(testVector(seed, testDimensions));
  const litellm = { ...service.deps.litellm.embedder, embedQuery: () => Promise.resolve(embedding) };
  const { searchStores: run } = await import("../../../src/core/search/searchStores.js");
  const { readSearch, searchBody } = await import("../../../src/http/wire/search.js");
  const deps = { ...service.deps, litellm: { ...service.deps.litellm, embedder: litellm } };
  const request = readSearch(searchBody.parse({ query: "any", ...body }));
  const { found } = await run(deps, fullServer, [id], request, new AbortController().signal);
  return found.map((chunk) => chunk.id);
}

/** The store's own table, by its number. */
export async function ownTable(id: string): Promise<string> {
  const [row] = await service.database.query<{ number: number }>(
    "SELECT vectors_table::int AS number FROM vector_stores WHERE id = $1",
    [id],
  );
  return `vector_store_vectors_${row?.number ?? 0}`;
}

export const countIn = async (table: string, where = "true") =>
  (await service.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`))[0]?.n;
