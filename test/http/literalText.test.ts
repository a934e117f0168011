import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, postText, rowOf, rowsInTable, rowsPath, storedRows } from "../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Page {
  data: { id: string; metadata: Record<string, unknown>; attributes: Record<string, unknown> }[];
  search_query: string[];
}
const search = async (store: string, body: object): Promise<Page> =>
  (await service.post(`/v1/vector_stores/${store}/search`, body).expect(200)).body as Page;

/** Texts with a meaning in SQL, JSON paths, LIKE, formats, shells, URLs or JavaScript: here they are only text. */
const hostile = [
  "'; DROP TABLE embeddings; --",
  "' OR '1'='1",
  '"; DELETE FROM vector_stores; --',
  "$1::text) OR true --",
  "\\'; SELECT pg_sleep(60); --",
  "$$; TRUNCATE embeddings; $$",
  "/* */ UNION SELECT * FROM vector_stores",
  "%' OR metadata @> '{}",
  '{"$ne": null}',
  "$.* ? (@ > 0)",
  "{a,b}",
  "?|&",
  "\\u0000 \\x00 \\",
  "{{embeddings}} ${process.env} `id`",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "__proto__",
  "constructor",
  "toString",
  "type",
  "\u{1F600}\uFFFF\u2028é",
];

describe("SQL and the like in every string", () => {
  test.each(hostile)("%s is stored, listed, searched, filtered and deleted literally", async (text) => {
    const store = await createStore(service, { name: text, description: text, metadata: { [text]: text } });
    expect((await service.get(`/v1/vector_stores/${store}`).expect(200)).body).toMatchObject({ name: text });
    await service
      .post(rowsPath(store), rowOf(1, { id: `${store} ${text}`, content: text, metadata: { [text]: text } }))
      .expect(200);
    await service.post(rowsPath(store), rowOf(2, { id: `${store} other` })).expect(200);

    const [row] = await service.database.query(
      "SELECT s.name, s.description, s.metadata AS of_store, e.id, e.content, e.metadata FROM embeddings e JOIN vector_stores s ON s.id = e.vector_store_id WHERE e.content = $1",
      [text],
    );
    const metadata: unknown = JSON.parse(`{${JSON.stringify(text)}: ${JSON.stringify(text)}}`);
    expect(row).toEqual({
      name: text,
      description: text,
      of_store: metadata,
      id: `${store} ${text}`,
      content: text,
      metadata,
    });

    for (const filters of [
      { [text]: text },
      ...["eq", "gte", "lte"].map((type) => ({ type, key: text, value: text })),
      { type: "in", key: text, value: ["x", text] },
    ]) {
      const page = await search(store, { query: text, filters });
      expect(page.search_query).toEqual([text]);
      expect(page.data.map((each) => each.id)).toEqual([`${store} ${text}`]);
      expect(Object.entries(page.data[0]?.metadata ?? {})).toEqual([[text, text]]);
      expect(Object.entries(page.data[0]?.attributes ?? {})).toEqual([[text, text]]);
    }
    const others = await search(store, { query: text, filters: { type: "ne", key: text, value: text } });
    expect(others.data.map((each) => each.id)).toEqual([`${store} other`]);

    const filter = encodeURIComponent(JSON.stringify({ type: "eq", key: text, value: text }));
    const listed = await service.get(`${rowsPath(store)}?filters=${filter}`).expect(200);
    expect(listed.body).toMatchObject({ data: [{ content: text }] });
    const next = await service.get(`${rowsPath(store)}?order=asc&after=${encodeURIComponent(`${store} ${text}`)}`);
    expect(next.status).toBe(200);
    await service.delete(rowsPath(store), { ids: [`${store} ${text}`] }).expect(200);
    expect((await storedRows(service, store)).map((each) => each.id)).toEqual([`${store} other`]);
  });

  test("all other tables, stores and rows still exist", async () => {
    expect(await rowsInTable(service)).toBe(hostile.length);
    const [stores] = await service.database.query("SELECT count(*)::int AS n FROM vector_stores");
    expect(stores).toEqual({ n: hostile.length });
  });
});

describe("JavaScript's prototype names", () => {
  const body = `{"content":"c","embedding":${JSON.stringify(testVector(1, testDimensions))},
    "metadata":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"kept":1}}`;

  test("are metadata keys at any depth, and pollute nothing", async () => {
    const store = await createStore(service);
    const answer = await postText(service, rowsPath(store), body);
    expect(answer.status).toBe(200);
    const expected = '{"kept":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const [row] = await service.database.query<{ same: boolean }>(
      "SELECT metadata = $2::jsonb AS same FROM embeddings WHERE vector_store_id = $1",
      [store, expected],
    );
    expect(row).toEqual({ same: true });
    const found = await search(store, { query: "c" });
    expect(Object.keys(found.data[0]?.metadata ?? {}).sort()).toEqual(["__proto__", "constructor", "kept"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("are also kept in a store's metadata", async () => {
    const answer = await postText(service, "/v1/vector_stores", '{"metadata":{"__proto__":"p","constructor":1}}');
    expect(answer.status).toBe(200);
    expect(Object.entries((answer.body as { metadata: object }).metadata)).toEqual([
      ["__proto__", "p"],
      ["constructor", 1],
    ]);
  });

  test("are ordinary unknown fields in the body itself", async () => {
    for (const name of ["__proto__", "constructor", "toString"]) {
      const answer = await postText(service, "/v1/vector_stores", `{"${name}":{"name":"x"}}`);
      expect(answer).toMatchObject({ status: 400, body: { error: { param: name, code: "unknown_parameter" } } });
    }
    const asked = await postText(service, "/v1/embeddings", '{"input":"a","__proto__":{"dimensions":2}}');
    expect((asked.body as { data: { embedding: number[] }[] }).data[0]?.embedding).toHaveLength(testDimensions);
  });
});
