import { afterEach, beforeEach, expect, test } from "@jest/globals";
import request from "supertest";
import { Writable } from "node:stream";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { type Storage, createStorage } from "../../../src/storage/storage.js";
import { withDeps } from "../../http/withDeps.js";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore } from "../../support/stores.js";

/** A full or read-only disk is answered as a full database is: 503, and ingestion waits. */

let service: TestService;
let directory: string;
let store: string;
beforeEach(async () => {
  service = await startService();
  service.deps.wakeIngestion = () => undefined;
  directory = mkdtempSync(join(tmpdir(), "vector-store-full-"));
  store = await createStore(service);
});
afterEach(async () => {
  await service.close();
  rmSync(directory, { recursive: true });
});

const failure = (code: string) =>
  Object.assign(new Error(`${code}: it cannot be written, open '/secret/path'`), { code });

test.each(["ENOSPC", "EDQUOT", "EROFS"])("an upload that the directory refuses with %s is 503", async (code) => {
  const disk = {
    makeFolder: () => Promise.resolve(),
    open: () =>
      new Writable({
        write: (_chunk, _encoding, done) => {
          done(failure(code));
        },
      }),
  };
  const storage = createStorage(service.db, directory, Date.now, disk);
  await withDeps(service, { storage }, async (url) => {
    for (const [path, fields] of [
      ["/v1/files", { purpose: "assistants" }],
      [`/v1/vector_stores/${store}/upload`, {}],
    ] as const) {
      const sent = request(url).post(path).set("authorization", `Bearer ${testKey}`);
      for (const [name, value] of Object.entries(fields)) void sent.field(name, value);
      const answer = await sent.attach("file", Buffer.alloc(100_000, "a"), "a.txt");
      expect(answer.body).toMatchObject({
        error: {
          message: expect.stringMatching(/^The directory of uploaded files \(FILES_DIR\) [^/]*\.$/),
          type: "server_error",
          code: "service_unavailable",
        },
      });
      expect(answer.status).toBe(503);
      expect(answer.headers["retry-after"]).toBe("60");
    }
  });
  expect(readdirSync(directory)).toEqual([]);
  expect((await service.get("/v1/files")).body).toMatchObject({ data: [] });
});

test("ingestion waits while the temporary directory is full, says why, and goes on afterwards", async () => {
  const sent = request(service.url).post(`/v1/vector_stores/${store}/upload`).set("authorization", `Bearer ${testKey}`);
  const { id } = (await sent.set("prefer", "respond-async").attach("file", Buffer.from("some text"), "a.txt")).body as {
    id: string;
  };
  const { storage } = service.deps;
  let isFull = true;
  const full: Storage = {
    ...storage,
    // The copy fails as it does when the disk fills up in the middle of it.
    read: (from) => (isFull ? failing() : storage.read(from)),
  };
  service.deps.storage = full;
  const never = new AbortController().signal;
  for (let i = 0; i < 7; i += 1) {
    expect(await ingestNext(service.deps, "worker", never)).toBe(true);
    const file = (await service.get(`/v1/vector_stores/${store}/files/${id}`)).body as object;
    expect(file).toMatchObject({
      status: "in_progress",
      progress: { waiting_for: "The temporary directory has no disk space left." },
    });
    await service.database.exec("UPDATE vector_store_files SET run_after = now()");
  }
  isFull = false;
  expect(await ingestNext(service.deps, "worker", never)).toBe(true);
  expect((await service.get(`/v1/vector_stores/${store}/files/${id}`)).body).toMatchObject({ status: "completed" });
});

async function* failing(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from("some"));
  throw failure("ENOSPC");
}
