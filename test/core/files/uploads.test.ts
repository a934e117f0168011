import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { listParts } from "../../../src/db/tables/uploads.js";
import * as files from "../../../src/core/files/files.js";
import * as uploads from "../../../src/core/files/uploads.js";
import { ownWork } from "../../../src/words/caller.js";
import { type TestService, startService } from "../../support/service.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

test("a completed upload keeps its file's bytes even if its parts cannot be removed", async () => {
  const { deps } = service;
  const text = "hello";
  const announced = { filename: "a.txt", purpose: "assistants", mimeType: "text/plain", fileExpiresAfter: null };
  const { id } = await uploads.create(deps, ownWork, { ...announced, bytes: text.length });
  const add = (some: string) =>
    uploads.addPart(deps, ownWork, id, () => files.keep(deps, "part", Readable.from([Buffer.from(some)])));
  const [part, other] = [await add("hel"), await add("lo")];
  const remove: typeof deps.storage.remove = (kept) =>
    kept.content === part.content ? Promise.reject(new Error("disk failure")) : deps.storage.remove(kept);
  const failing = { ...deps, storage: { ...deps.storage, remove } };
  await uploads.complete(failing, ownWork, id, [part.id, other.id], null);
  const page = { purpose: null, limit: 10, order: "asc", after: null } as const;
  const [file] = (await files.list(deps, ownWork, page)).files;
  if (file === undefined) throw new Error("the upload made no file");
  expect((await buffer(deps.storage.read(file))).toString()).toBe(text);
  // The sweep removes what was left.
  expect(await listParts(deps.db, id)).toHaveLength(2);
  await uploads.sweepUploads(deps);
  expect(await listParts(deps.db, id)).toEqual([]);
  await expect(buffer(deps.storage.read(part))).rejects.toThrow("0 of 3 bytes are there");
});

test("an upload of one part becomes a file without being stored again, and the sweep leaves it alone", async () => {
  const { deps } = service;
  const announced = { filename: "b.txt", purpose: "assistants", mimeType: "text/plain", fileExpiresAfter: null };
  const { id } = await uploads.create(deps, ownWork, { ...announced, bytes: 5 });
  const add = () =>
    uploads.addPart(deps, ownWork, id, () => files.keep(deps, "part", Readable.from([Buffer.from("hello")])));
  // The second was sent because the answer to the first was lost.
  const [lost, part] = [await add(), await add()];
  const { file } = await uploads.complete(deps, ownWork, id, [part.id], "5d41402abc4b2a76b9719d911017c592");
  expect(file).toMatchObject({ content: part.content, bytes: 5 });
  expect(await listParts(deps.db, id)).toEqual([]);
  await expect(buffer(deps.storage.read(lost))).rejects.toThrow("0 of 5 bytes are there");
  await uploads.sweepUploads(deps);
  await deps.storage.sweep(deps.now() + 86_400_000);
  const kept = await files.open(deps, ownWork, file.id);
  expect((await buffer(kept.bytes)).toString()).toBe("hello");
});

test("a cancelled upload is cancelled even if its parts cannot be removed, and they are swept", async () => {
  const { deps } = service;
  const announced = { filename: "a.txt", purpose: "assistants", mimeType: "text/plain", fileExpiresAfter: null };
  const { id } = await uploads.create(deps, ownWork, { ...announced, bytes: 5 });
  await uploads.addPart(deps, ownWork, id, () => files.keep(deps, "part", Readable.from([Buffer.from("hello")])));
  const failing = {
    ...deps,
    storage: { ...deps.storage, remove: () => Promise.reject(new Error("disk failure")) },
  };
  expect(await uploads.cancel(failing, ownWork, id)).toMatchObject({ status: "cancelled" });
  expect(await listParts(deps.db, id)).toHaveLength(1);
  await uploads.sweepUploads(deps);
  expect(await listParts(deps.db, id)).toEqual([]);
});
