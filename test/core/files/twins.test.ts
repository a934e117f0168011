import { afterEach, beforeEach, expect, test } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { takeNext } from "../../../src/db/tables/ingestQueue.js";
import { hashTexts } from "../../../src/litellm/hashingEmbedder.js";
import { type TestService, startService } from "../../support/service.js";
import { testDimensions, testKey } from "../../support/settings.js";
import { createStore, stubLitellm } from "../../support/stores.js";

/** The same document several times at once is embedded once. */

const never = new AbortController().signal;
let service: TestService;
let store: string;
let embedded: number;
beforeEach(async () => {
  embedded = 0;
  const embed = (texts: readonly string[]) => {
    embedded += texts.length;
    return hashTexts(texts, testDimensions);
  };
  service = await startService({ litellm: stubLitellm({ embed }) });
  service.deps.wakeIngestion = () => undefined;
  store = await createStore(service);
});
afterEach(() => service.close());

async function upload(content = "the same text", fields: Record<string, string> = {}, name = "a.txt"): Promise<string> {
  const sent = request(service.url)
    .post(`/v1/vector_stores/${store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async");
  for (const [name, value] of Object.entries(fields)) void sent.field(name, value);
  return ((await sent.attach("file", Buffer.from(content), name).expect(202)).body as { id: string }).id;
}
const statusOf = async (id: string) =>
  ((await service.get(`/v1/vector_stores/${store}/files/${id}`)).body as { status: string }).status;
const take = async (lease: string) => (await takeNext(service.db, lease, 60))?.fileId;

test("eight identical files, read by four workers at once, are embedded once", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 8; i += 1) ids.push(await upload());
  while ((await Promise.all(["a", "b", "c", "d"].map((each) => ingestNext(service.deps, each, never)))).includes(true));
  expect(await Promise.all(ids.map(statusOf))).toEqual(ids.map(() => "completed"));
  expect(embedded).toBe(1);
});

test("identical files with different names and attributes are embedded once, and keep their own", async () => {
  const text = Array.from({ length: 300 }, (_, i) => `Sentence ${i} of the same text.`).join(" ");
  const ids: string[] = [];
  for (let i = 0; i < 8; i += 1)
    ids.push(await upload(text, { chunk_size: "300", attributes: `{"part": ${i >> 1}}` }, `${i}.txt`));
  while ((await Promise.all(["a", "b", "c", "d"].map((each) => ingestNext(service.deps, each, never)))).includes(true));
  expect(await Promise.all(ids.map(statusOf))).toEqual(ids.map(() => "completed"));
  const rows = (await service.get(`/v1/vector_stores/${store}/embeddings?limit=1000&order=asc`)).body as {
    data: { content: string; embedding: string; metadata: Record<string, unknown> }[];
  };
  const of = (id: string) => rows.data.filter(({ metadata }) => metadata.file_id === id);
  const first = of(ids[0] ?? "");
  expect(first.length).toBeGreaterThan(10);
  expect(embedded).toBe(first.length);
  ids.forEach((id, i) => {
    expect(of(id).map(({ metadata }) => metadata)).toMatchObject(
      first.map((_, n) => ({ file_id: id, filename: `${i}.txt`, part: i >> 1, chunk_index: n })),
    );
    expect(of(id).map((row) => [row.content, row.embedding])).toEqual(first.map((row) => [row.content, row.embedding]));
  });
  // A later one takes them as well; one that is cut in another way does not.
  await upload(text, { chunk_size: "300" }, "later.txt");
  expect(await ingestNext(service.deps, "a", never)).toBe(true);
  expect(embedded).toBe(first.length);
  await upload(text, { chunk_size: "400" }, "later.txt");
  expect(await ingestNext(service.deps, "a", never)).toBe(true);
  expect(embedded).toBeGreaterThan(first.length);
});

test("once a twin is complete, the others do not wait for each other", async () => {
  const ids = [await upload("the same text", {}, "a.txt"), await upload("the same text", {}, "b.txt")];
  ids.push(await upload("the same text", {}, "c.txt"));
  expect(await ingestNext(service.deps, "a", never)).toBe(true);
  expect([await take("a"), await take("b")]).toEqual(ids.slice(1));
});

test("a file whose type its name decides is embedded for itself", async () => {
  const text = "# Title\n\n- one\n- two\n\n".repeat(30);
  const ids = [await upload(text, {}, "a.txt"), await upload(text, {}, "a.md"), await upload(text, {}, "a.html")];
  while (await ingestNext(service.deps, "a", never));
  const contents = await Promise.all(
    ids.map(async (id) => (await service.get(`/v1/vector_stores/${store}/files/${id}/content`)).body as object),
  );
  const alone = await createStore(service);
  store = alone;
  for (const [i, name] of ["a.txt", "a.md", "a.html"].entries()) {
    const id = await upload(text, {}, name);
    await ingestNext(service.deps, "a", never);
    const again = (await service.get(`/v1/vector_stores/${store}/files/${id}/content`)).body as object;
    expect(again).toEqual(contents[i]);
    await service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200);
  }
});

test("a twin waits for the first one; other content and other settings do not", async () => {
  const first = await upload();
  const twin = await upload();
  const other = await upload("another text");
  const cut = await upload("the same text", { chunk_size: "100" });
  const labelled = await upload("the same text", { attributes: '{"a": 1}' });
  expect(await take("a")).toBe(first);
  expect(await take("b")).toBe(other);
  expect(await take("c")).toBe(cut);
  expect(await take("e")).toBeUndefined();
  // The first one is detached: its twin goes on.
  await service.delete(`/v1/vector_stores/${store}/files/${first}`).expect(200);
  expect(await take("e")).toBe(twin);
  await service.delete(`/v1/vector_stores/${store}/files/${twin}`).expect(200);
  expect(await take("f")).toBe(labelled);
});

test("a twin goes on after the first has failed", async () => {
  const first = await upload();
  const twin = await upload();
  await service.database.exec(
    `UPDATE vector_store_files SET status = 'failed', stage = 'done' WHERE file_id = '${first}'`,
  );
  expect(await ingestNext(service.deps, "a", never)).toBe(true);
  expect(await statusOf(twin)).toBe("completed");
});

test("of two twins of which the later is under way, the earlier waits", async () => {
  const first = await upload();
  const twin = await upload();
  await service.database.exec(
    `UPDATE vector_store_files SET run_after = now() + interval '1 h' WHERE file_id = '${first}'`,
  );
  // Neither overtakes a twin that waits for its model.
  expect(await take("a")).toBeUndefined();
  await service.database.exec(
    `UPDATE vector_store_files SET run_after = now(), lease = CASE WHEN file_id = '${twin}' THEN 'x' END,
       lease_until = CASE WHEN file_id = '${twin}' THEN now() + interval '1 h' END`,
  );
  expect(await take("a")).toBeUndefined();
  // Its worker is dead.
  await service.database.exec("UPDATE vector_store_files SET lease_until = now() - interval '1 s' WHERE lease = 'x'");
  expect(await take("a")).toBe(first);
});

test("twins in different stores do not wait for each other", async () => {
  const first = await upload();
  const elsewhere = store;
  store = await createStore(service);
  const second = await upload();
  expect(new Set([await take("a"), await take("b")])).toEqual(new Set([first, second]));
  store = elsewhere;
});
