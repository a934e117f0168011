import { afterEach, beforeEach, expect, test } from "@jest/globals";
import request from "supertest";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepFiles } from "../../../src/core/files/files.js";
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

const filesIn = (path: string) =>
  readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => name.length > 2);
const upload = (lifeSeconds = 3_600) =>
  request(service.url)
    .post("/v1/files")
    .set("authorization", `Bearer ${testKey}`)
    .field("purpose", "assistants")
    .field("expires_after[anchor]", "created_at")
    .field("expires_after[seconds]", lifeSeconds)
    .attach("file", Buffer.from("a text"), "a.txt");
const idOf = async (sent: request.Test) => ((await sent.expect(200)).body as { id: string }).id;
const markers = () => service.database.query("SELECT content FROM vector_store_file_slices");
const away = {
  error: {
    message: "The directory of uploaded files (FILES_DIR) does not exist (ENOENT).",
    code: "service_unavailable",
  },
};
const refuses = async (sent: request.Test) => {
  const answer = await sent;
  expect(answer.body).toMatchObject(away);
  expect(answer.status).toBe(503);
};

test("the directory is made at start, with what is missing above it", async () => {
  expect(readdirSync(directory)).toEqual([]);
  await idOf(upload());
  expect(filesIn(directory)).toHaveLength(1);
});

test("a deletion is refused, and removes the bytes once the directory is back", async () => {
  const id = await idOf(upload());
  renameSync(directory, elsewhere);
  await refuses(service.delete(`/v1/files/${id}`));
  expect(await markers()).toHaveLength(1);
  renameSync(elsewhere, directory);
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
  renameSync(directory, elsewhere);
  const post = (path: string) => request(service.url).post(path).set("authorization", `Bearer ${testKey}`);
  await refuses(upload());
  await refuses(post(`/v1/uploads/${id}/parts`).attach("data", Buffer.from("text"), "part"));
  await refuses(post(`/v1/vector_stores/${store}/upload`).attach("file", Buffer.from("text"), "b.txt"));
  await refuses(service.post(`/v1/vector_stores/${store}/files`, { texts: ["text"] }));
  await refuses(service.get(`/v1/files/${kept}/content`));
  expect(existsSync(directory)).toBe(false);
  // Nothing is left for a sweep.
  expect(await markers()).toHaveLength(1);
  renameSync(elsewhere, directory);
  await service.get(`/v1/files/${kept}/content`).expect(200);
  await post(`/v1/uploads/${id}/parts`).attach("data", Buffer.from("text"), "part").expect(200);
});

test("the sweep keeps expired files, and those that belong to nothing, until the directory is back", async () => {
  await idOf(upload());
  // As a process leaves it that dies before it records the file.
  const lost = await idOf(upload(2_000_000));
  await service.database.exec(`DELETE FROM vector_store_file_objects WHERE id = '${lost}'`);
  renameSync(directory, elsewhere);
  const later = { ...service.deps, now: () => Date.now() + 25 * 3_600_000 };
  await expect(sweepFiles(later)).rejects.toMatchObject({ status: 503 });
  expect(await markers()).toHaveLength(2);
  renameSync(elsewhere, directory);
  expect(await sweepFiles(later)).toBe(2);
  expect(filesIn(directory)).toEqual([]);
  expect(await markers()).toEqual([]);
});

test("a start makes no new directory for recorded files", async () => {
  const id = await idOf(upload());
  const { database } = service;
  await service.stop();
  renameSync(directory, elsewhere);
  service = await startService({ database, environment: environment() });
  await refuses(service.get(`/v1/files/${id}/content`));
  await refuses(upload());
  expect(existsSync(directory)).toBe(false);
  renameSync(elsewhere, directory);
  await service.delete(`/v1/files/${id}`).expect(200);
  await idOf(upload());
});
