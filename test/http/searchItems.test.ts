import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowsPath } from "../support/stores.js";

interface Item {
  id: string;
  file_id: string;
  filename: string;
  score: number;
  attributes: Record<string, unknown> | null;
  metadata: Record<string, unknown> | null;
  content: { type: string; text: string }[];
}
let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

describe("an item", () => {
  const itemOf = async (metadata: object | null, body: object = {}) => {
    const store = await createStore(service);
    await service.post(rowsPath(store), { content: "the text", metadata }).expect(200);
    const answer = await service.post(`/v1/vector_stores/${store}/search`, { query: "the text", ...body }).expect(200);
    const [item] = (answer.body as { data: Item[] }).data;
    if (item === undefined) throw new Error("nothing was found");
    return item;
  };

  test("has one text part, the chunk's id, and no file fields without a file", async () => {
    const item = await itemOf(null);
    expect(item).toEqual({
      id: expect.stringMatching(/^emb_/),
      file_id: "",
      filename: "",
      score: expect.any(Number),
      attributes: {},
      metadata: {},
      vector_rank: 1,
      keyword_rank: null,
      content: [{ type: "text", text: "the text" }],
    });
    expect(item.score).toBeCloseTo(1, 5);
  });

  test("has the metadata's scalars as attributes, and all metadata", async () => {
    const metadata = {
      text: "t",
      number: 1.5,
      yes: true,
      nothing: null,
      list: [1],
      deep: { a: { b: 1 } },
      "": "empty key",
    };
    const item = await itemOf(metadata);
    expect(item.metadata).toEqual(metadata);
    expect(item.attributes).toEqual({ text: "t", number: 1.5, yes: true, "": "empty key" });
  });

  test("takes place and file from the metadata if they have the right type", async () => {
    const place = { chunk_index: 3, page: 12, section: "Intro", file_id: "file-1", filename: "a.pdf" };
    expect(await itemOf({ ...place, other: 1 })).toMatchObject(place);
    const wrong = await itemOf({ chunk_index: "3", page: 1.5, section: 4, file_id: 5, filename: ["a"] });
    expect(wrong).toMatchObject({ file_id: "", filename: "" });
    for (const name of ["chunk_index", "page", "section"]) expect(wrong).not.toHaveProperty(name);
  });

  test.each([
    [{ filename: "a", file_name: "b", source: "c", title: "d" }, "a"],
    [{ file_name: "b", source: "c", title: "d" }, "b"],
    [{ source: "c", title: "d" }, "c"],
    [{ filename: 1, title: "d" }, "d"],
  ])("%j is called %s", async (metadata, filename) => {
    expect((await itemOf(metadata)).filename).toBe(filename);
  });

  test("return_metadata: false leaves both out, but not place and file", async () => {
    const item = await itemOf({ page: 2, filename: "a.md", secret: "s" }, { return_metadata: false });
    expect(item).toMatchObject({ attributes: null, metadata: null, page: 2, filename: "a.md" });
    expect(JSON.stringify(item)).not.toContain("secret");
  });
});
