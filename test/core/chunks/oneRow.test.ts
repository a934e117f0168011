import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { testDimensions, testKey } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bodyOf,
  bytesOf,
  countsOf,
  createStore,
  errorOf,
  rowOf,
  rowsPath,
  searchStore,
  storedRows,
  recordingLitellm,
} from "../../support/stores.js";

const { litellm, asked } = recordingLitellm((text) => text.length);

let service: TestService;
let prefix = 0;
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());
beforeEach(() => {
  asked.length = 0;
  prefix += 1;
});

const id = (name: string | number) => `one-${prefix}-${name}`;
const path = (storeId: string, rowId: string) => `${rowsPath(storeId)}/${encodeURIComponent(rowId)}`;
const filled = async (...ids: string[]) => {
  const storeId = await createStore(service);
  const embeddings = ids.map((each, i) => rowOf(i + 1, { id: each, metadata: { n: i + 1 } }));
  await service.post(batchPath(storeId), { embeddings }).expect(200);
  return storeId;
};
const float32 = (seed: number) => [...Float32Array.from(testVector(seed, testDimensions))];

describe("GET …/embeddings/{id}", () => {
  test("answers with the row as the list shows it, with its vector if wanted", async () => {
    const storeId = await filled(id("a"), id("b"));
    const list = await bodyOf(service.get(`${rowsPath(storeId)}?order=asc`));
    const one = await bodyOf(service.get(path(storeId, id("a"))).expect(200));
    expect(one).toEqual((list as { data: unknown[] }).data[0]);
    expect(one).not.toHaveProperty("embedding");
    const whole = await bodyOf(service.get(`${path(storeId, id("a"))}?include=embedding`).expect(200));
    expect(whole).toEqual({ ...(one as object), embedding: float32(1) });
    const coded = await service.get(`${path(storeId, id("a"))}?include=embedding&encoding_format=base64`).expect(200);
    const bytes = Buffer.from((coded.body as { embedding: string }).embedding, "base64");
    expect(Array.from({ length: testDimensions }, (_, i) => bytes.readFloatLE(4 * i))).toEqual(float32(1));
  });

  test("reaches ids of any characters, and one that is a route's name", async () => {
    const odd = ["a/b#c?d", "100 %", "ä😀", "a&b=c;d", "batch", ".hidden", "x".repeat(240)].map(
      (each) => `${id("")}${each}`,
    );
    const storeId = await filled(...odd, "batch");
    for (const each of [...odd, "batch"]) {
      expect(await bodyOf(service.get(path(storeId, each)).expect(200))).toMatchObject({ id: each });
      await service.patch(path(storeId, each), { metadata: { seen: true } }).expect(200);
    }
    const allowed = await service.post(path(storeId, id("a")), {}).expect(405);
    expect(allowed.headers.allow).toBe("GET, PATCH, DELETE, HEAD, OPTIONS");
    const ofBatch = await request(service.url)
      .put(path(storeId, "batch"))
      .set("authorization", `Bearer ${testKey}`)
      .expect(405);
    expect(ofBatch.headers.allow).toBe("POST, GET, PATCH, DELETE, HEAD, OPTIONS");
    for (const each of [...odd, "batch"]) await service.delete(path(storeId, each)).expect(200);
    expect(await countsOf(service, storeId)).toEqual({ rows: 0, bytes: 0 });
  });

  test("an unknown row and a row of another store look the same", async () => {
    const [mine, other] = [await filled(id("a")), await filled(id("b"))];
    const reach = (each: string) => [
      service.get(path(mine, each)),
      service.patch(path(mine, each), { content: "new" }),
      service.delete(path(mine, each)),
    ];
    for (const each of [id("b"), id("none"), "a\0b", "y".repeat(1001)]) {
      for (const answer of await Promise.all(reach(each))) {
        expect(answer.status).toBe(404);
        expect(errorOf(answer)).toMatchObject({ code: "not_found", param: "embedding_id" });
      }
    }
    expect(asked).toEqual([]);
    expect(await countsOf(service, other)).toEqual({ rows: 1, bytes: 5 });
  });
});

describe("PATCH …/embeddings/{id}", () => {
  test("content is embedded anew; metadata and creation time stay", async () => {
    const storeId = await filled(id("a"), id("b"));
    const before = await bodyOf(service.get(path(storeId, id("a"))));
    service.advance(120_000);
    const changed = await bodyOf(service.patch(path(storeId, id("a")), { content: "a longer text" }).expect(200));
    expect(changed).toEqual({ ...(before as object), content: "a longer text" });
    expect(asked).toEqual(["a longer text"]);
    const stored = await storedRows(service, storeId);
    expect(stored[0]).toMatchObject({ metadata: { n: 1 }, embedding: float32("a longer text".length) });
    expect(await countsOf(service, storeId)).toEqual({ rows: 2, bytes: bytesOf(stored) });
    // The same content again costs nothing.
    await service.patch(path(storeId, id("a")), { content: "a longer text", metadata: null }).expect(200);
    expect(asked).toEqual(["a longer text"]);
  });

  test("metadata is replaced as a whole, an embedding alone changes only searches", async () => {
    const storeId = await filled(id("a"), id("b"));
    const first = await bodyOf(
      service.patch(path(storeId, id("a")), { metadata: { other: "x", list: [1] } }).expect(200),
    );
    expect(first).toMatchObject({ content: "row 1", metadata: { other: "x", list: [1] } });
    await service.patch(path(storeId, id("b")), { metadata: {} }).expect(200);
    await service.patch(path(storeId, id("b")), { embedding: testVector(50, testDimensions) }).expect(200);
    expect(asked).toEqual([]);
    expect(await storedRows(service, storeId)).toMatchObject([
      { content: "row 1", metadata: { other: "x", list: [1] }, embedding: float32(1) },
      { content: "row 2", metadata: {}, embedding: float32(50) },
    ]);
    const found = async (filters: object) =>
      (await searchStore(service, storeId, "row", { filters })).map((hit) => hit.id);
    expect(await found({ n: 1 })).toEqual([]);
    expect(await found({ other: "x" })).toEqual([id("a")]);
  });

  test.each<[string, object, string | null]>([
    ["nothing", {}, null],
    ["only nulls", { content: null, metadata: null }, null],
    ["an empty content", { content: " " }, "content"],
    ["metadata that is a list", { metadata: [1] }, "metadata"],
    ["a vector of another length", { embedding: [1, 2] }, "embedding"],
    ["a vector without a direction", { embedding: Array(testDimensions).fill(0) }, "embedding"],
    [
      "the vector of another model",
      { embedding: testVector(1, testDimensions), embedding_model: "other" },
      "embedding_model",
    ],
  ])("%s is 400 and changes nothing", async (_, body, param) => {
    const storeId = await filled(id("a"));
    const answer = await service.patch(path(storeId, id("a")), body).expect(400);
    expect(errorOf(answer).param).toBe(param);
    expect(await storedRows(service, storeId)).toMatchObject([rowOf(1, { metadata: { n: 1 } })]);
  });

  test("changes of different parts at once are all kept", async () => {
    const storeId = await filled(id("a"));
    const texts = Array.from({ length: 8 }, (_, n) => `text ${"x".repeat(n)}`);
    const changes = texts.flatMap((content, n) => [{ content }, { metadata: { by: n } }]);
    const answers = await Promise.all(changes.map((body) => service.patch(path(storeId, id("a")), body)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(16).fill(200));
    const [row] = await storedRows(service, storeId);
    expect(texts).toContain(row?.content);
    expect(row?.metadata).toHaveProperty("by");
    expect(row?.embedding).toEqual(float32(row?.content.length ?? 0));
    expect(await countsOf(service, storeId)).toEqual({ rows: 1, bytes: row?.content.length });
  });
});

describe("DELETE …/embeddings/{id}", () => {
  test("removes the row once", async () => {
    const storeId = await filled(id("a"), id("b"));
    const answer = await service.delete(path(storeId, id("a"))).expect(200);
    expect(answer.body).toEqual({ id: id("a"), object: "embedding.deleted", deleted: true });
    await service.delete(path(storeId, id("a"))).expect(404);
    expect(await countsOf(service, storeId)).toEqual({ rows: 1, bytes: 5 });
  });

  test("a file's chunks can be read, and neither changed nor deleted", async () => {
    const storeId = await createStore(service);
    await request(service.url)
      .post(`/v1/vector_stores/${storeId}/upload`)
      .set("authorization", `Bearer ${testKey}`)
      .attach("file", Buffer.from("The words of a document."), "doc.txt")
      .expect(200);
    const [chunk] = await storedRows(service, storeId);
    const at = path(storeId, chunk?.id ?? "");
    expect(await bodyOf(service.get(`${at}?include=embedding`).expect(200))).toMatchObject({ ...chunk });
    for (const answer of [await service.patch(at, { metadata: {} }), await service.delete(at)]) {
      expect(answer.status).toBe(409);
      expect(errorOf(answer).message).toMatch(/^embedding_id: this row is a chunk of the file 'file-\w+'/);
    }
    expect(await storedRows(service, storeId)).toEqual([chunk]);
  });
});
