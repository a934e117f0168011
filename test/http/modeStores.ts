import { expect } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import type { TestService } from "../support/service.js";
import { type Found, type Row, batchPath, createStore, searchStore, stubLitellm } from "../support/stores.js";

/** A direction at an angle from the direction of all queries. */
export function direction(angle: number): number[] {
  const vector = Array<number>(testDimensions).fill(0);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle);
  return vector;
}

/** The embedded queries; a test empties this before it counts. */
export const embedded: string[] = [];
export const litellm = stubLitellm({
  embed: (texts) => Promise.resolve(texts.map(() => Float32Array.from(direction(3)))),
  embedQuery: (text) => {
    embedded.push(text);
    if (text.includes("NOMODEL")) return Promise.reject(new Error("the model was asked"));
    return Promise.resolve(Float32Array.from(direction(0)));
  },
});

/** By vector the order is r0, r1, …; by the words "E-4711 kettle" it is r3, r1, then the rows with "kettle". */
export const contents = [
  "The red pump stands in the cellar",
  "Spare parts for E-4711 and others",
  "A kettle in blue",
  "How to clean the kettle E-4711",
  "Kettles and pots, a list",
  "This kettle is for the camp",
  "Nothing of all that",
];
export const query = "E-4711 kettle";
export const rows: Row[] = contents.map((content, i) => ({
  id: `r${i}`,
  content,
  embedding: direction(0.2 + i / 10),
  metadata: { n: i, even: i % 2 === 0 },
}));

/** Fills and searches stores of one service. Their rows have the same ids, which must not matter. */
export function modeStores(service: () => TestService) {
  async function fill(body: object = {}, given: Row[] = rows): Promise<string> {
    const id = await createStore(service(), body);
    await service().post(batchPath(id), { embeddings: given, return: "count" }).expect(200);
    return id;
  }

  async function search(
    store: string,
    options: object = {},
    body: object = {},
    text: string | string[] = query,
  ): Promise<Found[]> {
    const hits = await searchStore(service(), store, text, { ranking_options: options, ...body });
    for (const [i, hit] of hits.entries()) {
      expect(hit.score).toBeGreaterThanOrEqual(0);
      expect(hit.score).toBeLessThanOrEqual(1);
      expect(hit.score).toBeLessThanOrEqual(hits[i - 1]?.score ?? 1);
    }
    return hits;
  }
  const ids = async (...given: Parameters<typeof search>) => (await search(...given)).map((hit) => hit.id);
  return { fill, search, ids };
}
