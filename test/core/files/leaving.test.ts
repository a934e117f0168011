import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { removeLeft } from "../../../src/core/stores/leftChunks.js";
import { sweepLeaving } from "../../../src/core/stores/removal.js";
import type { Engine } from "../../../src/engines/engine.js";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore } from "../../support/stores.js";

/** A large file or store disappears at once, and its chunks are removed in portions: no change is long. */

const never = new AbortController().signal;
let service: TestService;
let store: string;
/** What each change of the engine removed. */
let removed: number[];
let afterChange: (as: string) => Promise<unknown>;
/** How many more changes succeed before the process "crashes". */
let changesLeft: number;

beforeEach(async () => {
  service = await startService();
  service.deps.wakeIngestion = () => undefined;
  store = await createStore(service);
  const { engine } = service.deps;
  removed = [];
  changesLeft = Infinity;
  afterChange = () => Promise.resolve();
  const counting: Engine["write"] = async (change, bounds) => {
    if (changesLeft === 0) throw new Error("the process is gone");
    changesLeft -= 1;
    const book: typeof change.book = (tx, done, held) => {
      if (done.removed.chunks > 0) removed.push(done.removed.chunks);
      return change.book(tx, done, held);
    };
    const result = await engine.write({ ...change, book }, bounds);
    await afterChange(change.as);
    return result;
  };
  service.deps.engine = { ...engine, write: counting };
});
afterEach(() => service.close());

/** 4,500 chunks. */
const text = Array.from({ length: 4500 }, (_, i) => String(i).padStart(10, "0")).join("");
const beginnings = 4500;

async function upload(name = "large.txt", content = text): Promise<string> {
  const sent = request(service.url)
    .post(`/v1/vector_stores/${store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async")
    .field("chunk_size", "10")
    .field("chunk_overlap", "0");
  const { id } = (await sent.attach("file", Buffer.from(content), name).expect(202)).body as { id: string };
  return id;
}
async function ingested(name?: string, content?: string): Promise<string> {
  const id = await upload(name, content);
  await ingestNext(service.deps, "worker", never);
  expect((await service.get(`/v1/vector_stores/${store}/files/${id}`)).body).toMatchObject({ status: "completed" });
  return id;
}
const found = async () =>
  (
    (await service.post(`/v1/vector_stores/${store}/search`, { query: "0000004321", max_num_results: 50 })).body as {
      data: object[];
    }
  ).data.length;
const rows = async (table = "embeddings") =>
  (await service.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;
const details = async () => (await service.get(`/v1/vector_stores/${store}`)).body as { usage_bytes: number };
const nothingLeft = async () => {
  expect([await rows(), await rows("vector_store_vectors"), await rows("vector_store_left_chunks")]).toEqual([0, 0, 0]);
};

/** Ten portions find the file as large as before. @returns how often the sweep was woken */
async function staysLarge(): Promise<() => number> {
  let woken = 0;
  service.deps.wakeSweep = () => (woken += 1);
  await service.database.exec("CREATE TABLE kept AS SELECT e AS row FROM embeddings e");
  afterChange = async () => {
    if (removed.length >= 10) return;
    await service.database.exec("INSERT INTO embeddings SELECT (row).* FROM kept ON CONFLICT DO NOTHING");
  };
  return () => woken;
}

describe("a large file", () => {
  test.each([
    ["detached", async (id: string) => service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200)],
    ["deleted", async (id: string) => service.delete(`/v1/files/${id}`).expect(200)],
  ])("that is %s leaves in portions", async (_, remove) => {
    const id = await ingested();
    expect(await rows()).toBe(beginnings);
    await remove(id);
    expect(removed).toEqual([2000, 2000, 500]);
    await nothingLeft();
    expect((await details()).usage_bytes).toBe(0);
    expect(await rows("vector_store_files")).toBe(0);
  });

  test("is not found in half after a crash; inserts go on, and the sweep finishes", async () => {
    const id = await ingested();
    expect(await found()).toBe(50);
    // The change that hides it, and one portion.
    changesLeft = 2;
    await service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200);
    changesLeft = Infinity;
    expect(removed).toEqual([2000]);
    expect(await rows()).toBe(beginnings - 2000);
    expect(await found()).toBe(0);
    await service.get(`/v1/vector_stores/${store}/files/${id}`).expect(404);
    const row = { content: "a row", embedding: Array.from({ length: 8 }, (_, i) => i + 1) };
    const inserted = await service.post(`/v1/vector_stores/${store}/embeddings`, row);
    expect(inserted.status).toBe(200);
    expect(await removeLeft(service.deps, {})).toBe(true);
    expect(await rows()).toBe(1);
    expect(await found()).toBe(1);
    expect(await rows("vector_store_left_chunks")).toBe(0);
  });

  test("that is very large is removed by the sweep, after ten portions", async () => {
    const id = await ingested();
    const woken = await staysLarge();
    await service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200);
    expect([removed.length, woken()]).toEqual([10, 1]);
    expect(await found()).toBe(0);
    expect(await removeLeft(service.deps, {})).toBe(true);
    await nothingLeft();
  });

  test("that was left in half can be attached again, and is found whole", async () => {
    const id = await ingested();
    changesLeft = 2;
    await service.delete(`/v1/vector_stores/${store}/files/${id}`).expect(200);
    changesLeft = Infinity;
    const body = { file_id: id };
    await service.post(`/v1/vector_stores/${store}/files`, body).expect(200);
    await ingestNext(service.deps, "worker", never);
    expect((await service.get(`/v1/vector_stores/${store}/files/${id}`)).body).toMatchObject({ status: "completed" });
    const [counted] = await service.database.query<{ n: number; files: number }>(
      `SELECT count(*)::int AS n, (SELECT chunk_count::int FROM vector_store_files) AS files FROM embeddings`,
    );
    expect(counted?.n).toBe(counted?.files);
    expect(await rows("vector_store_left_chunks")).toBe(0);
    expect(await service.database.query("SELECT 1 FROM vector_stores WHERE hidden_files <> '{}'")).toEqual([]);
  });

  test("that is cancelled half-way leaves in portions and can be tried again", async () => {
    const id = await upload();
    await service.database.exec("UPDATE vector_store_files SET batch_id = 'vsfb_1'");
    await service.database.exec(
      `INSERT INTO vector_store_file_batches (id, vector_store_id, created_at) VALUES ('vsfb_1', '${store}', now())`,
    );
    let portions = 0;
    afterChange = async (as) => {
      portions += as === "ingestion" ? 1 : 0;
      if (as !== "ingestion" || portions !== Math.ceil(2500 / service.config.embedding.batchSize)) return;
      await service.post(`/v1/vector_stores/${store}/file_batches/vsfb_1/cancel`).expect(200);
    };
    await ingestNext(service.deps, "worker", never);
    expect((await service.get(`/v1/vector_stores/${store}/files/${id}`)).body).toMatchObject({ status: "cancelled" });
    expect(removed[0]).toBe(2000);
    await nothingLeft();
    expect((await details()).usage_bytes).toBe(0);
  });
});

describe("a large store", () => {
  const deleteStore = () => service.delete(`/v1/vector_stores/${store}`);

  test("that is deleted leaves in portions", async () => {
    await ingested();
    await deleteStore().expect(200);
    expect(removed).toEqual([2000, 2000, 500]);
    await nothingLeft();
    expect(await rows("vector_stores")).toBe(0);
  });

  test("that is very large is removed by the sweep, after ten portions", async () => {
    await ingested();
    const woken = await staysLarge();
    await deleteStore().expect(200);
    expect([removed.length, woken()]).toEqual([10, 1]);
    await service.get(`/v1/vector_stores/${store}`).expect(404);
    await sweepLeaving(service.deps);
    await nothingLeft();
  });

  test("is gone at once, also if the process crashes, and the sweep finishes", async () => {
    await ingested();
    changesLeft = 1;
    // A search that has just read the store's row must not find half of it either.
    expect(await found()).toBe(50);
    await deleteStore().expect(200);
    changesLeft = Infinity;
    expect(await rows()).toBe(beginnings - 2000);
    await service.post(`/v1/vector_stores/${store}/search`, { query: "0000004321" }).expect(404);
    await service.get(`/v1/vector_stores/${store}`).expect(404);
    await service.post(`/v1/vector_stores/${store}`, { name: "x" }).expect(404);
    await deleteStore().expect(404);
    expect((await service.get("/v1/vector_stores")).body).toMatchObject({ data: [] });
    await sweepLeaving(service.deps);
    await nothingLeft();
    expect(await rows("vector_stores")).toBe(0);
  });
});
