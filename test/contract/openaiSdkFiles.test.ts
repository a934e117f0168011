import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import OpenAI, { toFile } from "openai";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { collect, failure } from "./sdk.js";

/** Files, uploads and batches through the unmodified `openai` package from npm. */
let service: TestService;
let client: OpenAI;

beforeAll(async () => {
  service = await startService();
  client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: testKey });
});
afterAll(() => service.close());

const text = (name: string, content: string) => toFile(Buffer.from(content), name);
const upload = async (name: string, content: string) =>
  client.files.create({ file: await text(name, content), purpose: "assistants" });
const newStore = async (body: OpenAI.VectorStoreCreateParams = {}) =>
  client.vectorStores.create({ name: "s", ...body });
const textsIn = async (storeId: string, fileId: string) =>
  (await collect(client.vectorStores.files.content(fileId, { vector_store_id: storeId }))).map((part) => part.text);

describe("files", () => {
  test("upload, retrieve, download, list and delete", async () => {
    const file = await client.files.create({
      file: await text("Grüße.txt", "Hello, files.\n"),
      purpose: "user_data",
      expires_after: { anchor: "created_at", seconds: 3600 },
    });
    expect(file).toEqual({
      id: expect.stringMatching(/^file-[0-9a-f]{32}$/),
      object: "file",
      bytes: 14,
      created_at: expect.any(Number),
      expires_at: file.created_at + 3600,
      filename: "Grüße.txt",
      purpose: "user_data",
      status: "processed",
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await (await client.files.content(file.id)).text()).toBe("Hello, files.\n");
    expect(await collect(client.files.list({ purpose: "user_data" }))).toContainEqual(file);
    expect(await collect(client.files.list({ purpose: "vision" }))).toEqual([]);
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
    expect(await failure(client.files.retrieve(file.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failure(client.files.delete(file.id))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("a list continues after a file that was deleted meanwhile", async () => {
    const files = [];
    for (const n of [1, 2, 3]) files.push(await upload(`page${n}.txt`, `page ${n}`));
    const [first, second, third] = files.map((each) => each.id);
    const page = await client.files.list({ limit: 1, order: "asc", after: first ?? "" });
    expect(page.data.map((each) => each.id)).toEqual([second]);
    await client.files.delete(second ?? "");
    const rest = await client.files.list({ limit: 10, order: "asc", after: second ?? "" });
    expect(rest.data.map((each) => each.id)).toEqual([third]);
    for (const id of [first, third]) await client.files.delete(id ?? "");
  });

  test("an upload in parts becomes a file, in the order of its parts", async () => {
    const begun = await client.uploads.create({
      filename: "parts.txt",
      bytes: 11,
      mime_type: "text/plain",
      purpose: "assistants",
    });
    const part = async (content: string) =>
      (await client.uploads.parts.create(begun.id, { data: await text("part", content) })).id;
    const world = await part("world");
    const hello = await part("hello ");
    const done = await client.uploads.complete(begun.id, { part_ids: [hello, world] });
    expect(done).toMatchObject({ id: begun.id, status: "completed", file: { bytes: 11, filename: "parts.txt" } });
    expect(await (await client.files.content(done.file?.id ?? "")).text()).toBe("hello world");
    // A client that has lost the answer asks again.
    expect(await client.uploads.complete(begun.id, { part_ids: [hello, world] })).toEqual(done);
    const [left] = await service.database.query<{ contents: number }>(
      "SELECT count(DISTINCT content)::int AS contents FROM vector_store_file_slices",
    );
    const [kept] = await service.database.query<{ files: number }>(
      "SELECT count(*)::int AS files FROM vector_store_file_objects",
    );
    expect(left?.contents).toBe(kept?.files);
  });

  test("a cancelled upload leaves nothing", async () => {
    const begun = await client.uploads.create({
      filename: "x",
      bytes: 3,
      mime_type: "text/plain",
      purpose: "assistants",
    });
    await client.uploads.parts.create(begun.id, { data: await text("part", "abc") });
    expect(await client.uploads.cancel(begun.id)).toMatchObject({ status: "cancelled", file: null });
    expect(await service.database.query("SELECT 1 FROM vector_store_upload_parts")).toEqual([]);
  });
});

describe("files of a vector store", () => {
  test("uploadAndPoll, search, content, attributes and detaching", async () => {
    const store = await newStore();
    const file = await client.vectorStores.files.uploadAndPoll(
      store.id,
      await text("faq.txt", "The office opens at nine."),
    );
    expect(file).toMatchObject({
      object: "vector_store.file",
      vector_store_id: store.id,
      status: "completed",
      last_error: null,
      usage_bytes: 25,
      attributes: null,
      chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } },
    });
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({
      status: "completed",
      usage_bytes: 25,
      file_counts: { in_progress: 0, completed: 1, failed: 0, cancelled: 0, total: 1 },
    });
    expect(await textsIn(store.id, file.id)).toEqual(["The office opens at nine."]);
    const updated = await client.vectorStores.files.update(file.id, {
      vector_store_id: store.id,
      attributes: { team: "support", year: 2024, open: true },
    });
    expect(updated.attributes).toEqual({ team: "support", year: 2024, open: true });
    const search = (filters?: OpenAI.VectorStoreSearchParams["filters"]) =>
      collect(client.vectorStores.search(store.id, { query: "office opens", ...(filters && { filters }) }));
    expect(await search({ type: "gte", key: "year", value: 2024 })).toMatchObject([
      { file_id: file.id, filename: "faq.txt", attributes: { team: "support", year: 2024, open: true } },
    ]);
    expect((await search())[0]?.attributes).toEqual({ team: "support", year: 2024, open: true });
    expect(await search({ type: "eq", key: "team", value: "sales" })).toEqual([]);
    expect(await client.vectorStores.files.delete(file.id, { vector_store_id: store.id })).toEqual({
      id: file.id,
      object: "vector_store.file.deleted",
      deleted: true,
    });
    expect(await search()).toEqual([]);
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({ usage_bytes: 0, file_counts: { total: 0 } });
    expect((await client.files.retrieve(file.id)).id).toBe(file.id);
  });

  test("createAndPoll with a static strategy; attaching twice is one file", async () => {
    const store = await newStore();
    const { id } = await upload("long.txt", "One sentence is here. ".repeat(200));
    const chunking_strategy = {
      type: "static",
      static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 20 },
    } as const;
    const attach = () => client.vectorStores.files.createAndPoll(store.id, { file_id: id, chunking_strategy });
    const file = await attach();
    expect(file).toMatchObject({ status: "completed", chunking_strategy });
    const chunks = (await textsIn(store.id, id)).length;
    expect(chunks).toBeGreaterThan(5);
    expect(await attach()).toEqual(file);
    expect((await textsIn(store.id, id)).length).toBe(chunks);
    expect(await failure(client.vectorStores.files.create(store.id, { file_id: id }))).toMatchObject({ status: 409 });
  });

  test("an unreadable file fails with the reason; it can be listed by status, and detached", async () => {
    const store = await newStore();
    const { id } = await upload("empty.pdf", "this is no PDF");
    const file = await client.vectorStores.files.createAndPoll(store.id, { file_id: id });
    expect(file).toMatchObject({ status: "failed", last_error: { code: "invalid_file" } });
    const failed = await collect(client.vectorStores.files.list(store.id, { filter: "failed" }));
    expect(failed.map((each) => each.id)).toEqual([id]);
    expect(await collect(client.vectorStores.files.list(store.id, { filter: "completed" }))).toEqual([]);
    await client.vectorStores.files.delete(id, { vector_store_id: store.id });
    expect((await client.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ failed: 0, total: 0 });
  });

  test("a store created with files has them; unknown files are listed as failed", async () => {
    const { id } = await upload("a.txt", "alpha");
    const store = await newStore({ file_ids: [id, "file-unknown"] });
    expect(store.file_counts).toEqual({ in_progress: 0, completed: 1, failed: 1, cancelled: 0, total: 2 });
    expect(await failure(client.vectorStores.files.create(store.id, { file_id: "file-unknown2" }))).toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    expect((await client.vectorStores.retrieve(store.id)).file_counts.total).toBe(2);
  });

  test("deleting a file removes it from every store", async () => {
    const { id } = await upload("gone.txt", "soon gone");
    const stores = [await newStore({ file_ids: [id] }), await newStore({ file_ids: [id] })];
    await client.files.delete(id);
    for (const store of stores) {
      expect((await client.vectorStores.retrieve(store.id)).file_counts.total).toBe(0);
      expect(await collect(client.vectorStores.search(store.id, { query: "soon" }))).toEqual([]);
    }
  });

  test("pages of files, newest first and oldest first", async () => {
    const ids = [];
    for (const n of [1, 2, 3]) ids.push((await upload(`p${n}.txt`, `p ${n}`)).id);
    const store = await newStore();
    for (const id of ids) await client.vectorStores.files.createAndPoll(store.id, { file_id: id });
    const page = await client.vectorStores.files.list(store.id, { limit: 2, order: "asc" });
    expect(page.data.map((each) => each.id)).toEqual(ids.slice(0, 2));
    expect(page.has_more).toBe(true);
    const all = await collect(client.vectorStores.files.list(store.id, { limit: 2 }));
    expect(all.map((each) => each.id)).toEqual([...ids].reverse());
    const before = await client.vectorStores.files.list(store.id, { order: "asc", before: ids[2] ?? "" });
    expect(before.data.map((each) => each.id)).toEqual(ids.slice(0, 2));
  });
});

describe("file batches", () => {
  test("uploadAndPoll, retrieve and list", async () => {
    const store = await newStore();
    const batch = await client.vectorStores.fileBatches.uploadAndPoll(store.id, {
      files: [await text("one.txt", "one"), await text("two.txt", "two")],
    });
    expect(batch).toMatchObject({
      object: "vector_store.files_batch",
      status: "completed",
      file_counts: { in_progress: 0, completed: 2, failed: 0, cancelled: 0, total: 2 },
    });
    const files = await collect(
      client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id, limit: 1 }),
    );
    expect(files).toHaveLength(2);
    expect(await client.vectorStores.fileBatches.cancel(batch.id, { vector_store_id: store.id })).toEqual(batch);
  });

  test("with attributes for each file; unknown files have failed", async () => {
    const store = await newStore();
    const { id } = await upload("attributes.txt", "with attributes");
    const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, {
      files: [{ file_id: id, attributes: { n: 1 } }, { file_id: "file-nobody" }],
    });
    expect(batch.file_counts).toMatchObject({ completed: 1, failed: 1, total: 2 });
    expect((await client.vectorStores.files.retrieve(id, { vector_store_id: store.id })).attributes).toEqual({ n: 1 });
    const failed = await collect(
      client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id, filter: "failed" }),
    );
    expect(failed).toMatchObject([{ id: "file-nobody", last_error: { code: "invalid_file" } }]);
  });

  test("invalid ids are 400, unknown ones 404", async () => {
    const store = await newStore();
    const retrieve = (id: string) => client.vectorStores.fileBatches.retrieve(id, { vector_store_id: store.id });
    expect(await failure(retrieve("non_existent_batch_id"))).toBeInstanceOf(OpenAI.BadRequestError);
    expect(await failure(retrieve("vsfb_0123456789"))).toBeInstanceOf(OpenAI.NotFoundError);
  });
});
