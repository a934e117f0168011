import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type TestService, startService } from "../support/service.js";
import { type Row, batchPath, bodyOf, createStore, searchStore, settle, stubLitellm } from "../support/stores.js";

/** A direction at an angle from the query's, in radians, rotated around it by a second angle. */
function direction(angle: number, turn = 0): number[] {
  const vector = Array<number>(testDimensions).fill(0);
  vector[0] = Math.cos(angle);
  vector[1] = Math.sin(angle) * Math.cos(turn);
  vector[2] = Math.sin(angle) * Math.sin(turn);
  return vector;
}

let service: TestService;
beforeAll(async () => {
  const litellm = stubLitellm({ embedQuery: () => Promise.resolve(Float32Array.from(direction(0))) });
  service = await startService({ litellm, environment: { INDEX_MIN_ROWS: "50" } });
});
afterAll(() => service.close());

const fill = async (rows: Row[], id?: string) => {
  const store = id ?? (await createStore(service));
  await service.post(batchPath(store), { embeddings: rows, return: "count" }).expect(200);
  return store;
};

/** Rows far from the query, in all directions, to make a store large enough for an index. */
const others = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    content: `filler ${i}`,
    embedding: testVector(i + 1, testDimensions).map((each, n) => (n === 0 ? -1 - Math.abs(each) : each)),
    metadata: { file_id: `filler-${i}`, chunk_index: 0 },
  }));

describe.each([
  ["compared one by one", 0],
  ["with an index", 60],
])("diversity in a store %s", (_, fillers) => {
  let store: string;
  /** Three topics at about the same distance; the nearest has eight nearly equal copies. */
  beforeAll(async () => {
    const copies = Array.from({ length: 8 }, (_, i) => ({
      id: `${fillers}-copy${i}`,
      content: `kettle copy ${i}`,
      embedding: direction(0.5 + i / 1000),
      metadata: { n: i },
    }));
    const unlike = [
      { id: `${fillers}-second`, content: "kettle second", embedding: direction(0.6, 2), metadata: { n: 8 } },
      { id: `${fillers}-third`, content: "kettle third", embedding: direction(0.61, 4), metadata: { n: 9 } },
    ];
    store = await fill([...copies, ...unlike, ...others(fillers)]);
    await settle(service);
  });
  const search = async (diversity: number | null, count = 3, more: object = {}, body: object = {}) => {
    const options = { ranking_options: { diversity, ...more }, max_num_results: count, ...body };
    return searchStore(service, store, "kettle", options);
  };
  const ids = async (...given: Parameters<typeof search>) =>
    (await search(...given)).map((hit) => hit.id.replace(/^\d+-/, ""));

  test("of 0 or null keeps the order", async () => {
    const plain = ["copy0", "copy1", "copy2"];
    expect(await ids(0)).toEqual(plain);
    expect(await ids(null)).toEqual(plain);
    const body = await bodyOf(
      service.post(`/v1/vector_stores/${store}/search`, { query: "kettle", max_num_results: 3 }),
    );
    expect(await search(0)).toEqual((body as { data: unknown }).data);
  });

  test.each([0.5, 0.7, 0.9])("of %d separates copies of the first result from it", async (diversity) => {
    const found = await ids(diversity);
    expect(found[0]).toBe("copy0");
    expect(found).toHaveLength(3);
    expect(found.slice(1).filter((id) => id.startsWith("copy"))).toEqual([]);
  });

  test.each([0, 0.3, 0.5, 1])("of %d never returns fewer results, each once", async (diversity) => {
    for (const count of [1, 2, 9, 10, 50]) {
      const found = await ids(diversity, count);
      expect(found).toHaveLength(Math.min(count, 10 + fillers));
      expect(new Set(found).size).toBe(found.length);
    }
  });

  test("keeps scores, ranks and contents of the results, and excludes those below the threshold", async () => {
    const plain = new Map((await search(0, 50)).map((hit) => [hit.id, hit]));
    for (const hit of await search(0.8, 10)) expect(plain.get(hit.id)).toEqual(hit);
    const above = await search(0.8, 10, { score_threshold: 0.9 });
    expect(above.length).toBeGreaterThan(0);
    expect(above.every((hit) => hit.score >= 0.9)).toBe(true);
  });

  test("works with filters and every mode", async () => {
    const filters = { type: "gte", key: "n", value: 7 };
    expect(await ids(0, 3, {}, { filters })).toEqual(["copy7", "second", "third"]);
    expect((await ids(0.7, 3, {}, { filters })).sort()).toEqual(["copy7", "second", "third"]);
    const copies = { type: "lt", key: "n", value: 8 };
    expect((await ids(0.7, 10, {}, { filters: copies })).sort()).toEqual(
      Array.from({ length: 8 }, (_, i) => `copy${i}`),
    );
    for (const mode of ["keyword", "hybrid"]) {
      const found = await ids(0.9, 3, { search_mode: mode });
      expect(found).toHaveLength(3);
      expect(found.filter((id) => id.startsWith("copy")).length).toBeLessThan(3);
    }
  });
});

describe.each([
  ["compared one by one", 0],
  ["with an index", 60],
])("neighbours in a store %s", (_, fillers) => {
  /** Chunks of a document: `matching` is nearest to the query, the others too far for a search of one result. */
  const chunks = (metadata: (index: number) => Record<string, unknown>, contents: string[], matching: number): Row[] =>
    contents.map((content, i) => ({
      content,
      embedding: direction(i === matching ? 0.1 : 1.5 + i / 10),
      metadata: metadata(i),
    }));
  const make = async (rows: Row[]) => {
    const store = await fill([...rows, ...others(fillers)]);
    await settle(service);
    return store;
  };
  const first = async (store: string, expand: number | null, body: object = {}) => {
    const [hit] = await searchStore(service, store, "any", {
      max_num_results: 1,
      ranking_options: { expand },
      ...body,
    });
    if (hit === undefined) throw new Error("nothing was found");
    expect(hit.content).toHaveLength(1);
    expect(hit.content[0]?.type).toBe("text");
    return hit.content[0]?.text;
  };
  const five = ["zero.", "one.", "two.", "three.", "four."];

  test.each(["file_id", "filename", "file_name", "source"])(
    "with the same %s are joined in their order",
    async (key) => {
      const store = await make(chunks((i) => ({ [key]: "doc", chunk_index: i }), five, 2));
      expect(await first(store, 0)).toBe("two.");
      expect(await first(store, null)).toBe("two.");
      expect(await first(store, 1)).toBe("one.\ntwo.\nthree.");
      expect(await first(store, 2)).toBe("zero.\none.\ntwo.\nthree.\nfour.");
      expect(await first(store, 5)).toBe("zero.\none.\ntwo.\nthree.\nfour.");
    },
  );

  test("have overlapping text once", async () => {
    const text = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
    const cuts = [0, 1, 2, 3].map((i) => text.slice(i * 80, i * 80 + 120));
    const store = await make(chunks((i) => ({ file_id: "doc", chunk_index: i }), cuts, 1));
    expect(await first(store, 1)).toBe(text.slice(0, 280));
    expect(await first(store, 2)).toBe(text.slice(0, 360));
  });

  test("end at the document's borders and at a missing chunk", async () => {
    const at = (matching: number) =>
      chunks((i) => ({ file_id: "doc", chunk_index: [0, 1, 3, 4, 5][i] }), five, matching);
    const beginning = await make(at(0));
    expect(await first(beginning, 1)).toBe("zero.\none.");
    expect(await first(beginning, 5)).toBe("zero.\none.");
    const behind = await make(at(2));
    expect(await first(behind, 1)).toBe("two.\nthree.");
    expect(await first(behind, 5)).toBe("two.\nthree.\nfour.");
    const end = await make(at(4));
    expect(await first(end, 2)).toBe("two.\nthree.\nfour.");
  });

  test("never come from another document or store", async () => {
    const mine = (i: number) => ({ file_id: "mine", filename: "same.pdf", chunk_index: i });
    const theirs = chunks((i) => ({ file_id: "theirs", filename: "same.pdf", chunk_index: i }), ["T0", "T1", "T2"], -1);
    await make(chunks(mine, ["other store 0", "other store 1", "other store 2"], -1));
    const [, ...gap] = chunks(mine, ["M0", "M1", "M2"], 1);
    const store = await make([...theirs, ...gap]);
    expect(await first(store, 2)).toBe("M1\nM2");
  });

  test("are found for document names with special characters", async () => {
    const name = `Straße "1" \\ 'x' %_ 東京 ${"n".repeat(300)}`;
    const store = await make(chunks((i) => ({ filename: name, chunk_index: i }), five, 1));
    expect(await first(store, 1)).toBe("zero.\none.\ntwo.");
  });

  test.each<[string, (i: number) => Record<string, unknown>]>([
    ["chunk_index", () => ({ file_id: "doc" })],
    ["a whole chunk_index", (i) => ({ file_id: "doc", chunk_index: i + 0.5 })],
    ["a chunk_index that is a number", (i) => ({ file_id: "doc", chunk_index: String(i) })],
    ["a document", (i) => ({ chunk_index: i })],
    ["a document that is a text", (i) => ({ file_id: 5, chunk_index: i })],
    ["metadata", () => ({})],
  ])("of rows without %s are none", async (_name, metadata) => {
    const store = await make(chunks(metadata, five, 2));
    expect(await first(store, 2)).toBe("two.");
  });

  test("with a name or place of another type are ignored", async () => {
    const store = await make([
      ...chunks(() => ({ file_id: "5", chunk_index: 1 }), ["text five"], 0),
      { content: "number five", embedding: direction(2), metadata: { file_id: 5, chunk_index: 0 } },
      { content: "place as text", embedding: direction(2.1), metadata: { file_id: "5", chunk_index: "2" } },
    ]);
    expect(await first(store, 1)).toBe("text five");
  });

  test("are joined to every result, and each result stays separate", async () => {
    const store = await make(chunks((i) => ({ file_id: "doc", chunk_index: i }), five, 2));
    const hits = await searchStore(service, store, "any", { max_num_results: 5, ranking_options: { expand: 1 } });
    const texts = hits.map((hit) => hit.content.map((part) => part.text)).flat();
    expect(texts).toHaveLength(5);
    const whole = ["zero.\none.", "zero.\none.\ntwo.", "one.\ntwo.\nthree.", "two.\nthree.\nfour.", "three.\nfour."];
    expect(texts.sort()).toEqual(whole.sort());
  });

  test("leave the rest of a result unchanged, and work with diversity, modes and filters", async () => {
    const store = await make(chunks((i) => ({ file_id: "doc", chunk_index: i }), five, 2));
    const [plain] = await searchStore(service, store, "any", { max_num_results: 1 });
    const [joined] = await searchStore(service, store, "any", { max_num_results: 1, ranking_options: { expand: 1 } });
    expect(joined).toEqual({ ...plain, content: [{ type: "text", text: "one.\ntwo.\nthree." }] });
    const filters = { chunk_index: 3 };
    expect(await first(store, 1, { filters })).toBe("two.\nthree.\nfour.");
    const options = { search_mode: "keyword", expand: 1, diversity: 0.5 };
    const [found] = await searchStore(service, store, "four", { ranking_options: options });
    expect(found?.content).toEqual([{ type: "text", text: "three.\nfour." }]);
  });

  test("that were just removed are ignored", async () => {
    const store = await make(chunks((i) => ({ file_id: "doc", chunk_index: i }), five, 2));
    await service
      .delete(`/v1/vector_stores/${store}/embeddings`, { filters: { file_id: "doc", chunk_index: 3 } })
      .expect(200);
    expect(await first(store, 1)).toBe("one.\ntwo.");
  });
});
