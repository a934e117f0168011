import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { campaign } from "../support/campaign.js";
import { bruteForceIds } from "../support/nearest.js";
import { type TestService, startService } from "../support/service.js";
import { testDimensions } from "../support/settings.js";
import { type Found, batchPath, createStore, errorOf, rowsOf, searchPath, stubLitellm } from "../support/stores.js";
import { testVector } from "../support/vectors.js";

const seeds = new Map([
  ["common", 4],
  ["common rare", 900],
]);
const litellm = stubLitellm({
  embedQuery: (text) => Promise.resolve(Float32Array.from(testVector(seeds.get(text) ?? 1, testDimensions))),
});

let service: TestService;
let store: string;
let mixed: string;
beforeAll(async () => {
  service = await startService({ litellm });
  const fill = async (rows: number, prefix: string) => {
    const id = await createStore(service);
    const embeddings = rowsOf(rows, (n) => ({
      id: `${prefix}-${String(n).padStart(4, "0")}`,
      content: [n % 9 === 0 ? "rare" : "other", ...Array<string>(n % 7).fill("common")].join(" "),
      metadata: { few: n % 5 === 0, half: n % 2 === 0 },
    }));
    await service.post(batchPath(id), { embeddings, return: "count" }).expect(200);
    return id;
  };
  // More than can be reached, and more than the lists that a hybrid search fuses first.
  store = await fill(1100, "row");
  mixed = await fill(380, "mixed");
});
afterAll(() => service.close());

interface Page {
  data: Found[];
  has_more: boolean;
  next_page: string | null;
}
const search = async (body: object, id = store) => (await service.post(searchPath(id), body).expect(200)).body as Page;

/** All pages of a search; the sizes are used in turn. */
async function pages(body: object, sizes: readonly number[], id = store): Promise<Found[]> {
  const found: Found[] = [];
  let next: string | null = null;
  for (let i = 0; ; i += 1) {
    const limit = sizes[i % sizes.length];
    const page: Page = await search({ ...body, limit, ...(next === null ? {} : { page: next }) }, id);
    found.push(...page.data);
    expect(page.has_more).toBe(page.next_page !== null);
    if (page.next_page === null) return found;
    next = page.next_page;
  }
}
const idsOf = (found: readonly Found[]) => found.map((each) => each.id);

describe("pages of results", () => {
  test("are disjoint and in the order of one search, whatever their sizes", async () => {
    const all = new Map<string, Found[]>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("vector", "keyword", "hybrid"),
        fc.constantFrom<object | null>(null, { few: true }, { type: "eq", key: "half", value: true }),
        fc.constantFrom<string | string[]>("common", "common rare", ["common", "common rare"]),
        fc.array(fc.integer({ min: 30, max: 100 }), { minLength: 1, maxLength: 4 }),
        async (search_mode, filters, query, sizes) => {
          const body = { query, filters, ranking_options: { search_mode } };
          const key = JSON.stringify(body);
          const whole = all.get(key) ?? (await pages(body, [100], mixed));
          all.set(key, whole);
          const found = await pages(body, sizes, mixed);
          expect(idsOf(found)).toEqual(idsOf(whole));
          expect(new Set(idsOf(found)).size).toBe(found.length);
          const scores = found.map((each) => each.score);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        },
      ),
      campaign(80),
    );
  });

  test("of a vector search are the nearest rows, up to the last that can be reached", async () => {
    const found = await pages({ query: "common", ranking_options: { search_mode: "vector" } }, [99]);
    expect(idsOf(found)).toEqual(await bruteForceIds(service, store, 4, 1000));
    const few = await pages({ embedding: testVector(5, testDimensions), filters: { few: true } }, [50]);
    expect(idsOf(few)).toEqual(await bruteForceIds(service, store, 5, 220, { few: true }));
  });

  test("begin at an offset as well", async () => {
    const expected = await bruteForceIds(service, store, 4, 1000);
    for (const [offset, limit] of [
      [0, 3],
      [7, 10],
      [120, 50],
      [990, 10],
    ] as const) {
      const page = await search({ query: "common", offset, max_num_results: limit });
      expect(idsOf(page.data)).toEqual(expected.slice(offset, offset + limit));
      expect(page.has_more).toBe(offset + limit < 1000);
    }
    const beyond = await search({ query: "common", filters: { few: true }, offset: 220 });
    expect(beyond).toMatchObject({ data: [], has_more: false, next_page: null });
    expect(await search({ query: "common", filters: { few: true }, offset: 210, limit: 10 })).toMatchObject({
      has_more: false,
      next_page: null,
    });
    const like = await search({ like: "row-0004", offset: 5, limit: 5 });
    expect(idsOf(like.data)).toEqual(expected.slice(6, 11));
  });

  test("end at the score threshold", async () => {
    const all = await pages({ query: "common" }, [100]);
    const threshold = all[149]?.score ?? 0;
    const found = await pages({ query: "common", ranking_options: { score_threshold: threshold } }, [40]);
    expect(idsOf(found)).toEqual(idsOf(all.filter((each) => each.score >= threshold)));
  });

  test.each<[string, object, string, RegExp]>([
    ["an offset below 0", { offset: -1 }, "offset", /at least 0/],
    ["an offset of 1000", { offset: 1000 }, "offset", /at most 999/],
    ["an offset too near to 1000", { offset: 991, limit: 10 }, "offset", /at most 1000; got 991 \+ 10/],
    ["an offset in text", { offset: "1" }, "offset", /number/],
    ["a page that no answer gave", { page: "abc" }, "page", /not a next_page/],
    ["an empty page", { page: "" }, "page", /not a next_page/],
    [
      "a page and an offset",
      { page: Buffer.from("offset:5").toString("base64url"), offset: 5 },
      "page",
      /leave out one/,
    ],
    ["a page of different results", { offset: 5, ranking_options: { diversity: 0.5 } }, "offset", /have no pages/],
  ])("%s is 400", async (_, body, param, message) => {
    const answer = await service.post(searchPath(store), { query: "common", ...body }).expect(400);
    expect(errorOf(answer)).toMatchObject({ param, message: expect.stringMatching(message) });
  });

  test("what has no pages says so", async () => {
    const different = { query: "common", ranking_options: { diversity: 0.5 } };
    expect(await search(different)).toMatchObject({ has_more: false, next_page: null });
  });
});
