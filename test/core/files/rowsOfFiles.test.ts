import { describe, expect, test } from "@jest/globals";
import { createMemoryEngine } from "../../support/memoryEngine/engine.js";
import {
  batchPath,
  bodyOf,
  countsOf,
  createStore,
  errorOf,
  postText,
  rowsInTable,
  rowsPath,
  searchStore,
  storedRows,
} from "../../support/stores.js";
import { chunks, eachTest, here, look, paragraphs, upload, work } from "./ingesting.js";

/** Rows of files and rows of clients in one store do not harm each other. */

eachTest(here);
const remove = (body: object) => here.service.delete(rowsPath(here.store), body);
const insert = (row: object) => here.service.post(rowsPath(here.store), { content: "a row", ...row });

describe("deleting many rows", () => {
  test("while a file is ingested leaves its chunks", async () => {
    const file = await upload(paragraphs(12).join("\n\n"), { chunk_size: "200", chunk_overlap: "0" });
    await insert({ id: "own" }).expect(200);
    let deleted: unknown;
    here.proxy.answers.embeddings = () => {
      here.proxy.answers.embeddings = () => {
        here.proxy.reset();
        return bodyOf(remove({ all: true }).expect(200)).then((body) => {
          deleted = body;
          return { status: 503, json: {} };
        });
      };
      return null;
    };
    await work();
    await here.service.database.exec("UPDATE vector_store_files SET run_after = now()");
    await work();
    expect(deleted).toMatchObject({ deleted: 1 });
    expect(await look(file)).toMatchObject({ status: "completed" });
    const stored = await chunks(file);
    expect(stored.length).toBeGreaterThan(8);
    expect(stored.map(({ n }) => n)).toEqual(stored.map((_, i) => i));
    expect(await rowsInTable(here.service, here.store)).toBe(stored.length);
  });

  test.each(["the database", "another engine"])(
    "in %s leaves complete files, and says which id is one's",
    async (kind) => {
      if (kind === "another engine") {
        const { db, now } = here.service.deps;
        here.service.deps.engine = createMemoryEngine({ db, now });
        here.store = await createStore(here.service);
      }
      const file = await upload("the words of a document");
      await work();
      const [chunk] = await storedRows(here.service, here.store);
      const id = chunk?.id ?? "";
      const rows = { own: {}, foreign: { file_id: "file-elsewhere", filename: "doc.txt" }, last: {} };
      for (const [own, metadata] of Object.entries(rows)) await insert({ id: own, metadata }).expect(200);

      // The list and a row say which file a chunk is of; what a client has written does not count.
      const listed = await storedRows(here.service, here.store);
      expect(listed.filter((row) => "file_id" in row)).toEqual([expect.objectContaining({ id, file_id: file })]);
      expect((await here.service.get(`${rowsPath(here.store)}/${id}`)).body).toMatchObject({ file_id: file });
      expect((await here.service.get(`${rowsPath(here.store)}/foreign`)).body).not.toHaveProperty("file_id");

      const error = errorOf(await remove({ ids: ["own", id] }).expect(409));
      expect(error).toMatchObject({ param: "ids[1]" });
      expect(error.message).toContain(`'${id}' is a chunk of the file '${file}'`);
      expect(await countsOf(here.service, here.store)).toMatchObject({ rows: 4 });
      expect((await remove({ filters: { filename: "doc.txt" } }).expect(200)).body).toMatchObject({ deleted: 1 });
      expect((await remove({ filters: { file_id: file } }).expect(200)).body).toMatchObject({ deleted: 0 });
      expect((await remove({ ids: ["last", "unknown"] }).expect(200)).body).toMatchObject({ deleted: 1 });
      expect((await remove({ all: true }).expect(200)).body).toMatchObject({ deleted: 1 });
      const found = await searchStore(here.service, here.store, "document");
      expect(found.map((each) => each.id)).toEqual([id]);

      // A file that has left keeps nothing.
      await here.service.delete(`/v1/vector_stores/${here.store}/files/${file}`).expect(200);
      expect(await countsOf(here.service, here.store)).toEqual({ rows: 0, bytes: 0 });
    },
  );
});

test("a row that names an attached file is refused everywhere, but stored rows may be sent again", async () => {
  const elsewhere = { file_id: "file-elsewhere" };
  await insert({ id: "early", metadata: elsewhere }).expect(200);
  const file = await upload("the words of a document");
  const metadata = { file_id: file };
  const expected = { status: 409, param: "metadata.file_id" };
  const refused = async (answer: Promise<{ status: number; body: unknown }>, prefix = "") => {
    const answered = await answer;
    expect({ status: answered.status, param: errorOf(answered).param }).toEqual({
      ...expected,
      param: prefix + expected.param,
    });
    expect(errorOf(answered).message).toContain(file);
  };
  for (const status of ["in_progress", "completed"]) {
    expect(await look(file)).toMatchObject({ status });
    await refused(insert({ id: "mine", metadata }));
    const rows = [{ content: "one" }, { content: "two", metadata }];
    await refused(here.service.post(batchPath(here.store), { embeddings: rows }), "embeddings[1].");
    const lines = rows.map((row) => JSON.stringify(row)).join("\n");
    await refused(postText(here.service, batchPath(here.store), lines, "application/x-ndjson"), "line 2.");
    await refused(here.service.patch(`${rowsPath(here.store)}/early`, { metadata }));
    await work();
  }
  expect((await storedRows(here.service, here.store)).map(({ id }) => id)).toContain("early");
  expect(await rowsInTable(here.service, here.store)).toBe(2);
  await here.service.patch(`${rowsPath(here.store)}/early`, { metadata: { ...elsewhere, n: 1 } }).expect(200);
  // What a client has read, it may send again.
  const chunk = (await storedRows(here.service, here.store)).find((row) => row.metadata.file_id === file);
  const again = await here.service.post(batchPath(here.store), { embeddings: [chunk] }).expect(200);
  expect(again.body).toMatchObject({ duplicates: 1 });
});
