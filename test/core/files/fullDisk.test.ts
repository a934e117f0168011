import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { Writable } from "node:stream";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { sweepFiles } from "../../../src/core/files/files.js";
import type { Disk } from "../../../src/storage/directory.js";
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

/** What is in the directory beside its marker. */
const uploaded = () =>
  readdirSync(directory, { recursive: true })
    .map(String)
    .filter((path) => path !== ".vector-store");
const failure = (code: string) =>
  Object.assign(new Error(`${code}: it cannot be written, open '/secret/path'`), { code });

const post = (url: string, path: string) => request(url).post(path).set("authorization", `Bearer ${testKey}`);
const refused = {
  error: {
    message: expect.stringMatching(/^The directory of uploaded files \(FILES_DIR\) [^/]*\.$/) as unknown,
    type: "server_error",
    code: "service_unavailable",
  },
};
const cannotOpen = (code: string): Partial<Disk> => ({
  makeFolder: () => Promise.resolve(),
  open: () =>
    new Writable({
      write: (_chunk, _encoding, done) => {
        done(failure(code));
      },
    }),
});
const cannotMake = (code: string): Partial<Disk> => ({ makeFolder: () => Promise.reject(failure(code)) });

test.each([
  ["ENOSPC while it is written", cannotOpen("ENOSPC")],
  ["EDQUOT while it is written", cannotOpen("EDQUOT")],
  ["EROFS while it is written", cannotOpen("EROFS")],
  ["EIO while it is written", cannotOpen("EIO")],
  ...["EROFS", "ENOENT", "EACCES", "ENOTDIR", "EMFILE", "ESTALE"].map((code): [string, Partial<Disk>] => [
    `${code} before`,
    cannotMake(code),
  ]),
])("an upload that the directory refuses with %s is 503, whatever its size and form", async (_, disk) => {
  const storage = createStorage(service.db, directory, Date.now, disk);
  const announced = { filename: "a.txt", purpose: "assistants", bytes: 10, mime_type: "text/plain" };
  const { id } = (await service.post("/v1/uploads", announced).expect(200)).body as { id: string };
  await withDeps(service, { storage }, async (url) => {
    const refuses = async (sent: request.Test) => {
      const answer = await sent;
      expect(answer.body).toMatchObject(refused);
      expect(answer.status).toBe(503);
      expect(answer.headers["retry-after"]).toBe("60");
    };
    for (const size of [1, 5_000, 200_000, 3_000_000]) {
      const bytes = Buffer.alloc(size, "a");
      await refuses(post(url, "/v1/files").field("purpose", "assistants").attach("file", bytes, "a.txt"));
      await refuses(post(url, "/v1/files").attach("file", bytes, "a.txt").field("purpose", "assistants"));
      await refuses(post(url, `/v1/uploads/${id}/parts`).attach("data", bytes, "a.txt"));
      await refuses(post(url, `/v1/vector_stores/${store}/upload`).attach("file", bytes, "a.txt"));
    }
    await refuses(post(url, `/v1/vector_stores/${store}/files`).send({ texts: ["hello"] }));
  });
  expect(uploaded()).toEqual([]);
  expect((await service.get("/v1/files")).body).toMatchObject({ data: [] });
});

test("a directory that cannot be made is 503 as well", async () => {
  writeFileSync(join(directory, "file"), "");
  const paths = [join(directory, "file"), join(directory, "file", "below")];
  // Node's recursive mkdir never ends there.
  if (process.platform === "linux") paths.push("/proc/none/below");
  for (const path of paths) {
    await withDeps(service, { storage: createStorage(service.db, path, Date.now) }, async (url) => {
      const answer = await post(url, "/v1/files").field("purpose", "assistants").attach("file", Buffer.from("a"), "a");
      expect(answer.body).toMatchObject(refused);
      expect(answer.status).toBe(503);
    });
  }
});

describe("a file in a directory that became read-only", () => {
  let cannotRemove: boolean;
  let storage: Storage;
  let id: string;
  const attached = () => service.get(`/v1/vector_stores/${store}/files/${id}`);
  beforeEach(async () => {
    cannotRemove = true;
    storage = createStorage(service.db, directory, Date.now, {
      remove: (path) => (cannotRemove ? Promise.reject(failure("EROFS")) : rm(path, { force: true })),
    });
    service.deps.storage = storage;
    const sent = post(service.url, "/v1/files")
      .field("purpose", "assistants")
      .field("expires_after[anchor]", "created_at");
    const answer = await sent.field("expires_after[seconds]", "3600").attach("file", Buffer.from("a text"), "a.txt");
    id = (answer.body as { id: string }).id;
    await service.post(`/v1/vector_stores/${store}/file_batches`, { file_ids: [id] }).expect(200);
  });

  test("stays whole when it is deleted, until that succeeds", async () => {
    const answer = await service.delete(`/v1/files/${id}`).expect(503);
    expect(answer.body).toMatchObject(refused);
    await attached().expect(200);
    expect((await service.get(`/v1/files/${id}/content`).buffer().expect(200)).body).toEqual(Buffer.from("a text"));
    cannotRemove = false;
    await service.delete(`/v1/files/${id}`).expect(200);
    await attached().expect(404);
    expect(uploaded().filter((path) => path.length > 2)).toEqual([]);
  });

  test("is swept once that succeeds, when it has expired", async () => {
    const deps = { ...service.deps, now: () => Date.now() + 3_700_000 };
    await expect(sweepFiles(deps)).rejects.toMatchObject({ status: 503 });
    await attached().expect(200);
    cannotRemove = false;
    expect(await sweepFiles(deps)).toBe(1);
    await attached().expect(404);
    expect(uploaded().filter((path) => path.length > 2)).toEqual([]);
  });

  test("is 503 when the directory is gone, and when the server no longer has it", async () => {
    rmSync(directory, { recursive: true });
    for (const [changed, message] of [
      [storage, "The directory of uploaded files (FILES_DIR) does not exist (ENOENT)."],
      [
        createStorage(service.db, null, Date.now),
        "The file's bytes are in a directory (FILES_DIR), which is not set here.",
      ],
    ] as const) {
      await withDeps(service, { storage: changed }, async (url) => {
        const answer = await request(url).get(`/v1/files/${id}/content`).set("authorization", `Bearer ${testKey}`);
        expect(answer.body).toMatchObject({ error: { message } });
        expect(answer.status).toBe(503);
      });
    }
    mkdirSync(directory);
  });
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
