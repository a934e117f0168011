import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect } from "node:net";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { withDetails } from "../../../src/core/stores/details.js";
import { find } from "../../../src/core/stores/stores.js";
import { ownWork } from "../../../src/words/caller.js";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore } from "../../support/stores.js";

/** Files that come again, files that go while they are read, and what is counted meanwhile. */

const never = new AbortController().signal;
let service: TestService;
let store: string;
beforeEach(async () => {
  service = await startService();
  service.deps.wakeIngestion = () => undefined;
  store = await createStore(service);
});
afterEach(() => service.close());

async function file(content: string): Promise<string> {
  const sent = request(service.url).post("/v1/files").set("authorization", `Bearer ${testKey}`);
  const answer = await sent.field("purpose", "assistants").attach("file", Buffer.from(content), "a.txt").expect(200);
  return (answer.body as { id: string }).id;
}
interface Batch {
  id: string;
  status: string;
  file_counts: object;
}
const batch = async (...ids: string[]) =>
  (await service.post(`/v1/vector_stores/${store}/file_batches`, { file_ids: ids }).expect(200)).body as Batch;
const batchNow = async ({ id }: Batch) =>
  (await service.get(`/v1/vector_stores/${store}/file_batches/${id}`).expect(200)).body as Batch;
const listed = async ({ id }: Batch) =>
  (
    (await service.get(`/v1/vector_stores/${store}/file_batches/${id}/files`)).body as { data: { id: string }[] }
  ).data.map((each) => each.id);
const work = () => ingestNext(service.deps, "worker", never);
const counts = (given: object) => ({
  ...{ in_progress: 0, completed: 0, failed: 0, cancelled: 0 },
  ...given,
});

describe("a file batch that names files again", () => {
  test("counts them with their own state, as the first one does", async () => {
    const ids = [await file("one"), await file("two")];
    const first = await batch(...ids);
    const again = await batch(...ids);
    for (const each of [first, again]) {
      expect(await batchNow(each)).toMatchObject({
        status: "in_progress",
        file_counts: counts({ in_progress: 2, total: 2 }),
      });
      expect((await listed(each)).sort()).toEqual([...ids].sort());
    }
    await work();
    await work();
    const more = await batch(...ids, await file("three"));
    expect(more).toMatchObject({ file_counts: counts({ in_progress: 1, completed: 2, total: 3 }) });
    expect(await batchNow(again)).toMatchObject({
      status: "completed",
      file_counts: counts({ completed: 2, total: 2 }),
    });
    await service.delete(`/v1/vector_stores/${store}/files/${ids[0] ?? ""}`).expect(200);
    for (const each of [first, again]) {
      expect(await batchNow(each)).toMatchObject({ file_counts: counts({ completed: 1, total: 1 }) });
    }
  });

  test("tries those again that were cancelled, and cancels only what it attached itself", async () => {
    const [one, two] = [await file("one"), await file("two")];
    const first = await batch(one);
    await service.post(`/v1/vector_stores/${store}/file_batches/${first.id}/cancel`).expect(200);
    expect(await batchNow(first)).toMatchObject({ status: "cancelled" });
    const again = await batch(one, two);
    expect(again).toMatchObject({ file_counts: counts({ in_progress: 2, total: 2 }) });
    await service.post(`/v1/vector_stores/${store}/file_batches/${again.id}/cancel`).expect(200);
    expect(await batchNow(again)).toMatchObject({ file_counts: counts({ in_progress: 1, cancelled: 1, total: 2 }) });
    expect(await work()).toBe(true);
    expect(await batchNow(first)).toMatchObject({ file_counts: counts({ completed: 1, total: 1 }) });
  });
});

test.each(["a batch", "one request"])("a file that is attached again by %s gets its new attributes", async (how) => {
  const id = await file("one");
  const attach = async (attributes: object | undefined) => {
    const input = { file_id: id, ...(attributes && { attributes }) };
    await (
      how === "a batch"
        ? service.post(`/v1/vector_stores/${store}/file_batches`, { files: [input] })
        : service.post(`/v1/vector_stores/${store}/files`, input)
    ).expect(200);
  };
  const attributes = async () => (await service.get(`/v1/vector_stores/${store}/files/${id}`)).body as object;
  const search = async () =>
    (await service.post(`/v1/vector_stores/${store}/search`, { query: "one" }).expect(200)).body as object;
  await attach({ k: "v1", old: 1 });
  // Before it is read, and afterwards; without attributes it keeps them.
  await attach({ k: "v2", old: 2 });
  expect(await attributes()).toMatchObject({ attributes: { k: "v2", old: 2 } });
  await work();
  await attach({ k: "v3" });
  await attach(undefined);
  expect(await attributes()).toMatchObject({ status: "completed", attributes: { k: "v3" } });
  expect(await search()).toMatchObject({ data: [{ file_id: id, attributes: { k: "v3" } }] });
  expect(await search()).not.toMatchObject({ data: [{ attributes: { old: expect.anything() as unknown } }] });
});

describe("a page of a file's content", () => {
  const contentOf = (id: string, page: string) =>
    service.get(`/v1/vector_stores/${store}/files/${id}/content?page=${encodeURIComponent(page)}`);

  test("continues after its chunks, and is refused for anything else", async () => {
    const [one, two] = [await file("one"), await file("two")];
    await batch(one, two);
    expect((await contentOf(one, "zz")).status).toBe(400);
    await work();
    await work();
    const rows = (await service.get(`/v1/vector_stores/${store}/embeddings`)).body as {
      data: { id: string; metadata: { file_id: string } }[];
    };
    const chunkOf = (id: string) => rows.data.find((row) => row.metadata.file_id === id)?.id ?? "";
    expect((await contentOf(one, chunkOf(one)).expect(200)).body).toMatchObject({ data: [], has_more: false });
    for (const page of ["zz", " ", "emb_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c", chunkOf(two), "\0"]) {
      expect((await contentOf(one, page).expect(400)).body).toMatchObject({
        error: { param: "page", message: "page: is not a next_page of this file's content" },
      });
    }
    expect((await contentOf(one, "").expect(400)).body).toMatchObject({ error: { param: "page" } });
  });

  test("a cursor of another kind is 404 in the list of files", async () => {
    await file("one");
    for (const after of [store, "zz", "emb_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c"])
      await service.get(`/v1/files?after=${after}`).expect(404);
    await service.get("/v1/files?after=file-0190f2c4a7e87d3f9b1c2d3e4f5a6b7c").expect(200);
  });
});

test("a file that is deleted while it is attached leaves the store", async () => {
  const id = await file("one");
  await batch(id);
  // Between the check that the file exists and the row that attaches it.
  await service.database.exec("DELETE FROM vector_store_file_objects");
  expect(await work()).toBe(true);
  await service.get(`/v1/vector_stores/${store}/files/${id}`).expect(404);
  expect(await service.database.query("SELECT 1 FROM vector_store_files")).toEqual([]);
});

test("a store's counts are of one moment, whatever was read of it before", async () => {
  const before = await find(service.deps, ownWork, store, "read");
  await batch(await file("one"));
  await work();
  const after = await find(service.deps, ownWork, store, "read");
  const stale = await withDetails(service.deps, [before]);
  expect(stale[0]).toMatchObject({ chunkCount: after.chunkCount, details: { files: { completed: 1, chunks: 1 } } });
});

describe("a file under way", () => {
  /** Reads without an end, until it is told to stop. */
  function endless(): { begun: Promise<void>; stopped: Promise<void> } {
    let [begin, stop] = [(): void => undefined, (): void => undefined];
    const [begun, stopped] = [new Promise<void>((is) => (begin = is)), new Promise<void>((is) => (stop = is))];
    service.deps.documents = {
      ...service.deps.documents,
      async *read(_source, { signal }) {
        begin();
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            stop();
            reject(signal.reason as Error);
          });
        });
        yield { text: "", place: {} };
      },
    };
    return { begun, stopped };
  }

  test.each(["cancelled", "detached", "deleted"])("stops at once when it is %s", async (how) => {
    const id = await file("one");
    const made = await batch(id);
    const reading = endless();
    const working = work();
    await reading.begun;
    if (how === "cancelled")
      await service.post(`/v1/vector_stores/${store}/file_batches/${made.id}/cancel`).expect(200);
    else await service.delete(how === "deleted" ? `/v1/files/${id}` : `/v1/vector_stores/${store}/files/${id}`);
    await reading.stopped;
    expect(await working).toBe(true);
  });

  test("whose sender leaves is removed", async () => {
    const reading = endless();
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nsome text\r\n--b--\r\n`;
    const address = new URL(service.url);
    const socket = connect(Number(address.port), address.hostname);
    socket.write(
      `POST /v1/vector_stores/${store}/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testKey}\r\n` +
        `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    let working = await work();
    const worker = (async () => {
      for (; !working; working = await work()) await new Promise(setImmediate);
    })();
    await reading.begun;
    socket.destroy();
    await reading.stopped;
    await worker;
    const left = async () => (await service.database.query("SELECT id FROM vector_store_file_objects")).length;
    while ((await left()) > 0) await new Promise(setImmediate);
    expect((await service.get(`/v1/vector_stores/${store}/files`)).body).toMatchObject({ data: [] });
  });
});
