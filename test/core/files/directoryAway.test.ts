import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepFiles } from "../../../src/core/files/files.js";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { createStorage } from "../../../src/storage/storage.js";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore } from "../../support/stores.js";

/** FILES_DIR that is renamed, or on a volume that is not mounted: its files are away, not gone. */

let parent: string;
let directory: string;
let elsewhere: string;
let service: TestService;
const environment = () => ({ FILES_DIR: directory });

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), "vector-store-away-"));
  directory = join(parent, "made", "files");
  elsewhere = join(parent, "elsewhere");
  service = await startService({ environment: environment() });
});
afterEach(async () => {
  await service.close();
  rmSync(parent, { recursive: true });
});

const marker = ".vector-store";
/** Of uploads. */
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => name.length > 2 && name !== marker);
const upload = (lifeSeconds = 3_600, url = service.url) =>
  request(url)
    .post("/v1/files")
    .set("authorization", `Bearer ${testKey}`)
    .field("purpose", "assistants")
    .field("expires_after[anchor]", "created_at")
    .field("expires_after[seconds]", lifeSeconds)
    .attach("file", Buffer.from("a text"), "a.txt");
const idOf = async (sent: request.Test) => ((await sent.expect(200)).body as { id: string }).id;
const markers = () => service.database.query("SELECT content FROM vector_store_file_slices");
const refuses = async (message: string, sent: request.Test) => {
  const answer = await sent;
  expect(answer.body).toMatchObject({ error: { message, code: "service_unavailable" } });
  expect(answer.status).toBe(503);
};
const missing = "The directory of uploaded files (FILES_DIR) does not exist (ENOENT).";
const empty =
  "The directory of uploaded files (FILES_DIR) has neither its file .vector-store nor any uploaded file: it looks like " +
  "the mount point of a volume that is not mounted.";
const leaves = (withMountPoint: boolean) => {
  renameSync(directory, elsewhere);
  if (withMountPoint) mkdirSync(directory);
};
const returns = () => {
  rmSync(directory, { recursive: true, force: true });
  renameSync(elsewhere, directory);
};
/** What was put into its place meanwhile. */
const leftThere = () => (existsSync(directory) ? readdirSync(directory) : []);

test("the directory is made at start, with what is missing above it", async () => {
  expect(readdirSync(directory)).toEqual([]);
  await idOf(upload());
  expect(filesIn(directory)).toHaveLength(1);
  expect(readdirSync(directory)).toContain(marker);
});

describe.each([
  { name: "a missing directory", message: missing, withMountPoint: false },
  { name: "an empty mount point", message: empty, withMountPoint: true },
])("$name", ({ message, withMountPoint }) => {
  test("a deletion is refused, and removes the bytes once the directory is back", async () => {
    const id = await idOf(upload());
    leaves(withMountPoint);
    await refuses(message, service.delete(`/v1/files/${id}`));
    expect(await markers()).toHaveLength(1);
    returns();
    expect((await service.get(`/v1/files/${id}/content`).buffer().expect(200)).body).toEqual(Buffer.from("a text"));
    await service.delete(`/v1/files/${id}`).expect(200);
    expect(filesIn(directory)).toEqual([]);
    expect(await markers()).toEqual([]);
  });

  test("an upload is refused, and does not make the directory anew", async () => {
    const kept = await idOf(upload());
    const store = await createStore(service);
    const announced = { filename: "b.txt", bytes: 4, purpose: "assistants", mime_type: "text/plain" };
    const { id } = (await service.post("/v1/uploads", announced).expect(200)).body as { id: string };
    leaves(withMountPoint);
    const post = (path: string) => request(service.url).post(path).set("authorization", `Bearer ${testKey}`);
    await refuses(message, upload());
    await refuses(message, post(`/v1/uploads/${id}/parts`).attach("data", Buffer.from("text"), "part"));
    await refuses(message, post(`/v1/vector_stores/${store}/upload`).attach("file", Buffer.from("text"), "b.txt"));
    await refuses(message, service.post(`/v1/vector_stores/${store}/files`, { texts: ["text"] }));
    await refuses(message, service.get(`/v1/files/${kept}/content`));
    expect(leftThere()).toEqual([]);
    // Nothing is left for a sweep.
    expect(await markers()).toHaveLength(1);
    returns();
    await service.get(`/v1/files/${kept}/content`).expect(200);
    await post(`/v1/uploads/${id}/parts`).attach("data", Buffer.from("text"), "part").expect(200);
  });

  test("the sweep keeps expired files, and those that belong to nothing, until the directory is back", async () => {
    await idOf(upload());
    // As a process leaves it that dies before it records the file.
    const lost = await idOf(upload(2_000_000));
    await service.database.exec(`DELETE FROM vector_store_file_objects WHERE id = '${lost}'`);
    leaves(withMountPoint);
    const later = { ...service.deps, now: () => Date.now() + 25 * 3_600_000 };
    await expect(sweepFiles(later)).rejects.toMatchObject({ status: 503 });
    expect(await markers()).toHaveLength(2);
    returns();
    expect(await sweepFiles(later)).toBe(2);
    expect(filesIn(directory)).toEqual([]);
    expect(await markers()).toEqual([]);
  });

  test("a start makes no new directory for recorded files", async () => {
    const id = await idOf(upload());
    const { database } = service;
    await service.stop();
    leaves(withMountPoint);
    service = await startService({ database, environment: environment() });
    await refuses(message, service.get(`/v1/files/${id}/content`));
    await refuses(message, upload());
    expect(leftThere()).toEqual([]);
    returns();
    await service.delete(`/v1/files/${id}`).expect(200);
    await idOf(upload());
  });

  test("does not fail attached files, which are read once the directory is back", async () => {
    service.deps.wakeIngestion = () => undefined;
    const store = await createStore(service);
    const id = await idOf(upload());
    await service.post(`/v1/vector_stores/${store}/file_batches`, { file_ids: [id] }).expect(200);
    leaves(withMountPoint);
    const work = () => ingestNext(service.deps, "worker", new AbortController().signal);
    await work();
    const waiting = await service.get(`/v1/vector_stores/${store}/files/${id}`);
    expect(waiting.body).toMatchObject({ status: "in_progress", progress: { waiting_for: message } });
    returns();
    await service.database.exec("UPDATE vector_store_files SET run_after = now()");
    await work();
    const read = await service.get(`/v1/vector_stores/${store}/files/${id}`);
    expect(read.body).toMatchObject({ status: "completed" });
  });
});

/** As a former version has left it. */
const forgetMarker = () => {
  rmSync(join(directory, marker));
};
const restart = async () => {
  const { database } = service;
  await service.stop();
  service = await startService({ database, environment: environment() });
};

test("a directory of a former version is recognised by any of its files, also while the server runs", async () => {
  const id = await idOf(upload());
  forgetMarker();
  await restart();
  expect(readdirSync(directory)).toContain(marker);
  forgetMarker();
  await idOf(upload());
  expect(readdirSync(directory)).toContain(marker);
  await service.get(`/v1/files/${id}/content`).expect(200);
});

test("a mount point at the start of a new version is away, and the volume is recognised when it returns", async () => {
  const id = await idOf(upload());
  forgetMarker();
  leaves(true);
  await restart();
  // What else is in it proves nothing.
  mkdirSync(join(directory, "lost+found"));
  mkdirSync(join(directory, "ab", "abc"), { recursive: true });
  await refuses(empty, service.delete(`/v1/files/${id}`));
  await refuses(empty, upload());
  expect(filesIn(directory).sort()).toEqual(["ab/abc", "lost+found"]);
  returns();
  await idOf(upload());
  expect(readdirSync(directory)).toContain(marker);
  await service.get(`/v1/files/${id}/content`).expect(200);
});

test("a directory that this server has used is away without its marker, also if no file is recorded in it", async () => {
  await service.delete(`/v1/files/${await idOf(upload())}`).expect(200);
  leaves(true);
  await refuses(empty, upload());
  expect(leftThere()).toEqual([]);
  returns();
  await idOf(upload());
});

test("several servers begin to use a new directory at once", async () => {
  const others = await Promise.all(
    [1, 2].map(() => startService({ database: service.database, environment: environment() })),
  );
  const answers = await Promise.all([service, ...others, service].map(({ url }) => upload(3_600, url)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  for (const other of others) await other.stop();
});

test("bytes whose volume leaves while they are written are not acknowledged", async () => {
  await idOf(upload());
  const storage = createStorage(service.db, directory, Date.now, {
    makeFolder: (path) => {
      leaves(true);
      mkdirSync(path);
      return Promise.resolve();
    },
  });
  const bytes = async function* () {
    yield await Promise.resolve(Buffer.from("some"));
  };
  await expect(storage.write(bytes())).rejects.toMatchObject({ status: 503, message: empty });
  returns();
});
