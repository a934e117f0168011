import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { rowsPath, searchPath } from "../support/stores.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Store {
  id: string;
  embedding_model: string;
  embedding_dimensions: number;
  warnings?: string[];
}
const bodyOf = (answer: { body: unknown }) => answer.body as Store;

/** Metadata whose one setting cannot be used, and how the warning goes on. */
const unusable: [metadata: Record<string, unknown>, reason: RegExp][] = [
  [{ embedding_model: "default" }, /the store's model is '.+'$/],
  [{ embedding_model: 5 }, /the store's model is/],
  ...["0", "-8", "16001", "8.5", "8 ", "1e3", "0x8", "eight", "9".repeat(500), 0, 8.5, true].map(
    (value): [Record<string, unknown>, RegExp] => [{ embedding_dimensions: value }, /the store's vectors have \d+ dim/],
  ),
  [{ search_mode: "semantic" }, /expected one of vector, keyword, hybrid$/],
  [{ search_mode: 1 }, /expected one of vector/],
  [{ search_mode: "" }, /expected one of vector/],
  [{ recall: "perfect" }, /expected one of exact, high, fast$/],
  [{ language: "Deutsch" }, /expected a language of the engine/],
  [{ rerank: "maybe" }, /expected true or false$/],
  [{ rerank_model: true }, /expected the name of a model$/],
];

describe("metadata is the user's: a setting in it that cannot be used", () => {
  test.each(unusable)("refuses nothing, and is named: %j", async (metadata, reason) => {
    const [key = ""] = Object.keys(metadata);
    const made = await service.post("/v1/vector_stores", { metadata }).expect(200);
    const { id, warnings = [] } = bodyOf(made);
    expect(made.body).toMatchObject({ metadata });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(new RegExp(`^metadata\\.${key} .+ is not used: `));
    expect(warnings[0]).toMatch(reason);
    expect(made.headers["x-vector-store-warning"]).toContain(`metadata.${key} `);

    const path = `/v1/vector_stores/${id}`;
    const found = await service.get(path).expect(200);
    expect(found.headers["x-vector-store-warning"]).toBe(made.headers["x-vector-store-warning"]);
    expect(bodyOf(found).warnings).toEqual(warnings);

    // Rows and searches use the defaults.
    await service.post(rowsPath(id), { content: "a kettle" }).expect(200);
    expect((await service.post(searchPath(id), { query: "kettle" }).expect(200)).body).toMatchObject({
      data: [{ attributes: {} }],
    });

    const cured = await service.post(path, { metadata: { team: "a" } }).expect(200);
    expect(bodyOf(cured).warnings).toBeUndefined();
    expect(cured.headers["x-vector-store-warning"]).toBeUndefined();
    expect(bodyOf(await service.post(path, { metadata }).expect(200)).warnings).toEqual(warnings);
  });

  test("several are all named, and the usable ones still count", async () => {
    const metadata = { search_mode: "hybrid", language: "Deutsch", embedding_model: "none", embedding_dimensions: "7" };
    const store = bodyOf(await service.post("/v1/vector_stores", { metadata }).expect(200));
    // The dimensions were of the model that cannot be used.
    expect(store.warnings).toHaveLength(3);
    const other = bodyOf(
      await service.post("/v1/vector_stores", { metadata: { ...metadata, embedding_model: "" } }).expect(200),
    );
    expect(other).toMatchObject({ embedding_dimensions: 7, warnings: [expect.stringMatching(/^metadata\.language/)] });
    await service.post(rowsPath(store.id), { content: "kettle" }).expect(200);
    const found = await service.post(searchPath(store.id), { query: "kettle" }).expect(200);
    expect(found.body).toMatchObject({ data: [{ keyword_rank: 1, vector_rank: 1 }] });
  });

  test("what a field of the store replaces needs no warning, and a field is still checked", async () => {
    const store = { search_mode: "keyword", metadata: { search_mode: "semantic" } };
    expect(bodyOf(await service.post("/v1/vector_stores", store).expect(200)).warnings).toBeUndefined();
    for (const field of [{ search_mode: "semantic" }, { language: "Deutsch" }, { embedding_model: "none" }])
      await service.post("/v1/vector_stores", { ...field, metadata: field }).expect(400);
  });
});

describe("OGX's names of rankers", () => {
  test.each(["weighted", "rrf"])("%s is our hybrid search", async (ranker) => {
    const { id } = bodyOf(await service.post("/v1/vector_stores", {}).expect(200));
    await service.post(rowsPath(id), { content: "a kettle" }).expect(200);
    const asked = { query: "kettle", ranking_options: { ranker } };
    const found = await service.post(searchPath(id), asked).expect(200);
    expect(found.body).toMatchObject({ data: [{ keyword_rank: 1, vector_rank: 1 }] });
  });
});
