import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { bodyOf, errorOf, rowsPath, settle } from "../support/stores.js";
import { direction, litellm, modeStores, query, rows } from "./modeStores.js";

let service: TestService;
const { fill, search, ids } = modeStores(() => service);
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());

describe("language", () => {
  test("english finds inflected words, simple does not", async () => {
    const [simple, english] = [
      await fill({ search_mode: "keyword" }),
      await fill({ search_mode: "keyword", language: "english" }),
    ];
    expect(await ids(simple, {}, {}, "kettle")).not.toContain("r4");
    expect((await ids(english, {}, {}, "kettle")).sort()).toEqual(["r2", "r3", "r4", "r5"]);
    expect((await ids(english, {}, {}, "cleaning")).sort()).toEqual(["r3"]);
    expect((await ids(english, {}, {}, "E-4711")).sort()).toEqual(["r1", "r3"]);
  });

  test("is also read from metadata", async () => {
    const store = await fill({ metadata: { search_mode: "keyword", language: "english" } });
    expect(await ids(store, {}, {}, "cleaning")).toEqual(["r3"]);
  });

  test.each(["klingon", "English", "en", "ENGLISH'; DROP TABLE embeddings; --", "pg_catalog.english", "11331"])(
    "%j is refused as a setting",
    async (language) => {
      const store = await fill();
      for (const path of ["/v1/vector_stores", `/v1/vector_stores/${store}`]) {
        const answer = await service.post(path, { language }).expect(400);
        expect(errorOf(answer)).toMatchObject({ param: "language", message: expect.stringContaining("simple") });
      }
    },
  );

  test.each(["klingon", "Deutsch", "'", ""])(
    "%j in metadata, where it may mean something else, is not used, and the store's answers say so",
    async (language) => {
      const store = await fill({ metadata: { search_mode: "keyword", language } });
      expect(await ids(store)).toEqual(await ids(await fill({ search_mode: "keyword" })));
      const other = await fill({ metadata: { language } });
      expect(await ids(other, { search_mode: "hybrid" })).toHaveLength(7);
      for (const each of [store, other]) {
        const shown = await bodyOf(service.get(`/v1/vector_stores/${each}`).expect(200));
        expect((shown as { warnings: unknown }).warnings).toEqual([
          expect.stringMatching(/^metadata\.language ".*" is not used: expected a language/),
        ]);
        await service.post(rowsPath(each), { content: "a later kettle", embedding: direction(3) }).expect(200);
        expect(await ids(each, { search_mode: "keyword" }, {}, "later")).toHaveLength(1);
      }
    },
  );
});

describe("the words of a store", () => {
  const keywordsOf = async (store: string) => {
    const body = await bodyOf(service.get(`/v1/vector_stores/${store}`).expect(200));
    return (body as { index: { keywords: string } }).index.keywords;
  };

  test("are extracted on the first keyword search, which answers the same before and after", async () => {
    const store = await fill();
    expect(await keywordsOf(store)).toBe("off");
    const scanned = await search(store, { search_mode: "keyword" });
    expect(await keywordsOf(store)).toBe("building");
    expect(await search(store, { search_mode: "keyword" })).toEqual(scanned);
    await settle(service);
    expect(await keywordsOf(store)).toBe("ready");
    const indexed = await search(store, { search_mode: "keyword" });
    expect(indexed.map((hit) => ({ ...hit, score: 0 }))).toEqual(scanned.map((hit) => ({ ...hit, score: 0 })));
    for (const [i, hit] of indexed.entries()) expect(hit.score).toBeCloseTo(scanned[i]?.score ?? -1, 5);
  });

  test("are ready from the first row if the store is created for keyword search", async () => {
    const store = await fill({ search_mode: "hybrid" });
    expect(await keywordsOf(store)).toBe("ready");
    expect((await ids(store, { search_mode: "keyword" })).slice(0, 2)).toEqual(["r3", "r1"]);
  });

  test.each<[string, object, boolean]>([
    ["ready", { search_mode: "keyword" }, true],
    ["being made", {}, false],
  ])("%s, follow insertions and deletions at once", async (_, body, ready) => {
    const store = await fill(body);
    const words = (text: string) => ids(store, { search_mode: "keyword" }, {}, text);
    expect(await words("samovar")).toEqual([]);
    if (ready) await settle(service);
    const fresh = { id: `fresh-${store}`, content: "a samovar E-4711", embedding: direction(2) };
    await service.post(rowsPath(store), fresh).expect(200);
    expect(await words("samovar")).toEqual([fresh.id]);
    expect(await words("E-4711")).toContain(fresh.id);
    await service.delete(rowsPath(store), { filters: { n: 3 } }).expect(200);
    expect(await words("clean")).toEqual([]);
    expect(await words(query)).not.toContain("r3");
    await settle(service);
    expect(await words("samovar")).toEqual([fresh.id]);
    expect(await words("clean")).toEqual([]);
    await service.delete(rowsPath(store), { ids: [fresh.id] }).expect(200);
    expect(await words("samovar")).toEqual([]);
    // The same words again, under a reused id.
    await service.post(rowsPath(store), { ...fresh, content: "another samovar" }).expect(200);
    expect(await words("samovar")).toEqual([fresh.id]);
    expect(await words("another")).toEqual([fresh.id]);
  });

  test("are extracted when a filled store's mode is set, and again when its language changes", async () => {
    const store = await fill();
    const path = `/v1/vector_stores/${store}`;
    const body = await bodyOf(service.post(path, { search_mode: "keyword" }).expect(200));
    expect(body).toMatchObject({ index: { keywords: "building" } });
    const before = await ids(store);
    await settle(service);
    expect(await keywordsOf(store)).toBe("ready");
    expect(await ids(store)).toEqual(before);

    await service.post(path, { language: "english" }).expect(200);
    expect(await keywordsOf(store)).toBe("building");
    expect(await ids(store, {}, {}, "cleaning")).toEqual(["r3"]);
    await settle(service);
    expect(await keywordsOf(store)).toBe("ready");
    expect(await ids(store, {}, {}, "cleaning")).toEqual(["r3"]);

    await service.post(path, { language: null }).expect(200);
    expect(await ids(store, {}, {}, "cleaning")).toEqual([]);
    await settle(service);
    expect(await ids(store, {}, {}, "cleaning")).toEqual([]);
    expect(await ids(store)).toEqual(before);
    const kept = await service.database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM vector_store_keywords WHERE vector_store_id = $1",
      [store],
    );
    expect(kept).toEqual([{ n: rows.length }]);
  });

  test("are deleted with the store", async () => {
    const store = await fill({ search_mode: "keyword" });
    await service.delete(`/v1/vector_stores/${store}`).expect(200);
    const left = await service.database.query("SELECT id FROM vector_store_keywords WHERE vector_store_id = $1", [
      store,
    ]);
    expect(left).toEqual([]);
  });
});

test("two stores with the same words each find only their own rows", async () => {
  const [one, other] = [
    await fill({ search_mode: "keyword" }),
    await fill({ search_mode: "keyword" }, rows.slice(0, 3)),
  ];
  expect((await ids(one)).sort()).toEqual(["r1", "r2", "r3", "r5"]);
  expect((await ids(other)).sort()).toEqual(["r1", "r2"]);
});

test.each([
  ["東京", ["j0", "j1"]],
  ["京都", ["j1", "j2"]],
  ["サポート", ["j3"]],
  ["전화번호", ["j4"]],
  ["ＡＢＣ", ["j5"]],
])("Chinese, Japanese and Korean words are found: %s", async (text, expected) => {
  const texts = [
    "私は東京に住んでいます",
    "東京都の人口",
    "京都のお寺",
    "サポートの連絡先",
    "고객센터 전화번호입니다",
    "型番ABC-12",
  ];
  const store = await fill(
    { search_mode: "keyword" },
    texts.map((content, i) => ({ id: `j${i}`, content, embedding: direction(i / 10) })),
  );
  expect((await ids(store, {}, {}, text)).sort()).toEqual(expected);
});
