import { parseFilter } from "../../src/words/filter.js";
import { matches } from "./filterBruteForce.js";
import { testDimensions } from "./settings.js";
import type { TestService } from "./service.js";
import { testVector } from "./vectors.js";
import { storedRows } from "./stores.js";

/** Ids of the `limit` rows nearest to a seed's vector, by brute force; ties by id. */
export async function bruteForceIds(
  service: TestService,
  storeId: string,
  seed: number,
  limit: number,
  filters?: unknown,
): Promise<string[]> {
  const query = testVector(seed, testDimensions);
  const typed = parseFilter(filters);
  const filter = typed === null ? null : { typed };
  const rows = (await storedRows(service, storeId)).filter((row) => matches(filter, row.metadata));
  const scored = rows.map((row) => ({ id: row.id, cosine: cosine(query, row.embedding) }));
  scored.sort((a, b) => b.cosine - a.cosine || (a.id < b.id ? -1 : 1));
  return scored.slice(0, limit).map((each) => each.id);
}

/** -Infinity if there is none. */
function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, each, i) => sum + each * (y[i] ?? 0), 0);
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? -Infinity : dot(a, b) / lengths;
}
