import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { exactJson } from "../../src/words/exactJson.js";
import { campaign } from "../support/campaign.js";
import { anyFilter, anyMetadata, matches } from "../support/filterBruteForce.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { createStore, errorOf, postText } from "../support/stores.js";

/* The lists of a store's files and of a batch's files take filters by the files' attributes. */

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Listed {
  data: { id: string; status: string; attributes: unknown }[];
  has_more: boolean;
  first_id: string;
  last_id: string;
}

/** Texts, since JavaScript's JSON.parse would round numbers alike that differ. */
async function ask(path: string, query: Record<string, string>): Promise<{ status: number; text: string }> {
  const headers = { authorization: `Bearer ${testKey}` };
  const answer = await fetch(`${service.url}${path}?${new URLSearchParams(query).toString()}`, { headers });
  return { status: answer.status, text: await answer.text() };
}

async function list(path: string, query: Record<string, string>): Promise<Listed> {
  const { status, text } = await ask(path, query);
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text) as Listed;
}

/** A store with a batch of files that do not exist, so no model is asked: one for each JSON text of attributes. */
async function batchOf(attributes: readonly string[]) {
  const storeId = await createStore(service);
  const filesPath = `/v1/vector_stores/${storeId}/files`;
  const ids = attributes.map((_, i) => `file-${String(i).padStart(4, "0")}`);
  const files = attributes.map((each, i) => `{"file_id": "${ids[i] ?? ""}", "attributes": ${each}}`);
  const body = `{"files": [${files.join(",")}]}`;
  const { status, text } = await postText(service, `/v1/vector_stores/${storeId}/file_batches`, body);
  expect({ status, text }).toMatchObject({ status: 200 });
  const batchPath = `/v1/vector_stores/${storeId}/file_batches/${(JSON.parse(text) as { id: string }).id}/files`;
  return { storeId, ids, filesPath, batchPath, paths: [filesPath, batchPath] };
}

const idsOf = (page: Listed) => page.data.map((file) => file.id);
/** Ids of one batch's files are in the order of their creation time and id. */
const found = async (path: string, filters: string) => idsOf(await list(path, { filters, order: "asc", limit: "100" }));

test("both lists take both forms of a filter, and files without the key match only ne, nin and exists: false", async () => {
  const { ids, paths } = await batchOf(['{"k": "a", "n": 1}', '{"k": "b", "n": 2}', "{}", "null"]);
  const [a = "", b = "", empty = "", none = ""] = ids;
  for (const path of paths) {
    expect(await found(path, '{"k": "a"}')).toEqual([a]);
    expect(await found(path, '{"type": "in", "key": "k", "value": ["a", "b"]}')).toEqual([a, b]);
    expect(await found(path, '{"type": "gt", "key": "n", "value": 1}')).toEqual([b]);
    expect(await found(path, '{"type": "ne", "key": "k", "value": "a"}')).toEqual([b, empty, none]);
    expect(await found(path, '{"type": "nin", "key": "k", "value": ["a"]}')).toEqual([b, empty, none]);
    expect(await found(path, '{"type": "exists", "key": "k", "value": false}')).toEqual([empty, none]);
    expect(await found(path, '{"type": "ne", "key": "k.x", "value": "a"}')).toEqual(ids);
    expect(await found(path, "{}")).toEqual(ids);
    expect(await found(path, '{"type": "or", "filters": []}')).toEqual([]);
  }
});

test("whole numbers beyond 2^53 are told apart", async () => {
  const numbers = ["9007199254740992", "9007199254740993", "9007199254740994"];
  const { ids, paths } = await batchOf(numbers.map((n) => `{"n": ${n}}`));
  for (const path of paths)
    for (const [i, n] of numbers.entries()) expect(await found(path, `{"n": ${n}}`)).toEqual([ids[i]]);
});

test("a filter finds files of its own store and batch only", async () => {
  const [mine, other] = [await batchOf(['{"k": "same"}']), await batchOf(['{"k": "same"}'])];
  const added = { file_ids: ["file-9999"], attributes: { k: "same" } };
  await service.post(mine.filesPath.replace(/files$/, "file_batches"), added).expect(200);
  expect(await found(mine.filesPath, '{"k": "same"}')).toEqual(["file-0000", "file-9999"]);
  for (const path of [mine.batchPath, ...other.paths])
    expect(await found(path, '{"k": "same"}')).toEqual(["file-0000"]);
});

test("OpenAI's filter by status holds beside it", async () => {
  const { storeId, ids, paths } = await batchOf(['{"k": "a"}', '{"k": "a"}', '{"k": "b"}']);
  await service.database.query(
    "UPDATE vector_store_files SET status = 'completed' WHERE vector_store_id = $1 AND file_id <> $2",
    [storeId, ids[1]],
  );
  for (const path of paths) {
    const ask = async (query: Record<string, string>) => idsOf(await list(path, { order: "asc", ...query }));
    expect(await ask({ filter: "completed" })).toEqual([ids[0], ids[2]]);
    expect(await ask({ filter: "completed", filters: '{"k": "a"}' })).toEqual([ids[0]]);
    expect(await ask({ filter: "failed", filters: '{"k": "a"}' })).toEqual([ids[1]]);
    expect(await ask({ filter: "cancelled", filters: '{"k": "a"}' })).toEqual([]);
  }
});

describe("pages of a filtered list", () => {
  test("begin after or before any file, also one that the filter leaves out", async () => {
    const { ids, paths } = await batchOf(Array.from({ length: 9 }, (_, i) => `{"odd": ${i % 2 === 1}}`));
    const filters = '{"odd": true}';
    for (const path of paths) {
      const first = await list(path, { filters, limit: "2", order: "desc" });
      expect([idsOf(first), first.has_more]).toEqual([[ids[7], ids[5]], true]);
      const next = await list(path, { filters, limit: "2", order: "desc", after: first.last_id });
      expect([idsOf(next), next.has_more]).toEqual([[ids[3], ids[1]], false]);
      const back = await list(path, { filters, limit: "2", order: "desc", before: next.first_id });
      expect(idsOf(back)).toEqual(idsOf(first));
      const between = await list(path, { filters, order: "asc", after: ids[2] ?? "" });
      expect(idsOf(between)).toEqual([ids[3], ids[5], ids[7]]);
    }
  });
});

test("a bad filter is refused in the words of the list of embeddings", async () => {
  const { storeId, paths } = await batchOf(["{}"]);
  const bad = [
    "{",
    "5",
    '{"k": null}',
    '{"k": "\\u0000"}',
    '{"type": "eq", "key": "k"}',
    '{"typ": "eq", "kye": "k"}',
    '{"k": 1e400}',
    '{"type": "exists", "key": "k", "value": 1}',
  ];
  for (const filters of bad) {
    const expected = await ask(`/v1/vector_stores/${storeId}/embeddings`, { filters });
    expect(expected.status).toBe(400);
    for (const path of paths) {
      const refused = await ask(path, { filters });
      expect({ filters, status: refused.status }).toEqual({ filters, status: 400 });
      expect(errorOf({ body: JSON.parse(refused.text) })).toEqual(errorOf({ body: JSON.parse(expected.text) }));
    }
  }
});

test("for any attributes and filters, the pages have what brute force finds", async () => {
  const seen = { matching: 0, left: 0 };
  const { storeId, ids, paths } = await batchOf(Array<string>(24).fill("{}"));
  const scenario = fc.record({
    attributes: fc.array(anyMetadata, { minLength: ids.length, maxLength: ids.length }),
    filters: fc.array(anyFilter, { minLength: 12, maxLength: 12 }),
    order: fc.constantFrom("asc", "desc"),
    limit: fc.constantFrom(3, 10, 100),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ attributes, filters, order, limit }) => {
      // The table may hold any JSON: more than attributes can be here.
      await service.database.query(
        `UPDATE vector_store_files AS f SET attributes = NULLIF(given.value, 'null')
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given(value, n)
         WHERE f.vector_store_id = $2 AND f.file_id = ($3::text[])[given.n]`,
        [exactJson(attributes), storeId, ids],
      );
      for (const [i, filter] of filters.entries()) {
        const expected = ids.filter((_, k) => matches(filter, attributes[k] ?? {}));
        if (order === "desc") expected.reverse();
        const grammar = filter === null ? null : "typed" in filter ? filter.typed : filter.flat;
        const query = { order, limit: String(limit), ...(grammar === null ? {} : { filters: exactJson(grammar) }) };
        const path = paths[i % 2] ?? "";
        const all: string[] = [];
        for (let after: string | null = null; ;) {
          const page: Listed = await list(path, { ...query, ...(after === null ? {} : { after }) });
          all.push(...idsOf(page));
          if (!page.has_more) break;
          after = page.last_id;
        }
        expect({ grammar, all }).toEqual({ grammar, all: expected });
        seen.matching += expected.length > 0 ? 1 : 0;
        seen.left += expected.length < ids.length ? 1 : 0;
      }
    }),
    campaign(300),
  );
  expect(Math.min(seen.matching, seen.left)).toBeGreaterThan(30);
});
