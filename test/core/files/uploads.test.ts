import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
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
  const receive = () => files.keep(deps, "part", Readable.from([Buffer.from(text)]));
  const part = await uploads.addPart(deps, ownWork, id, receive);
  const remove: typeof deps.storage.remove = (kept) =>
    kept.content === part.content ? Promise.reject(new Error("disk failure")) : deps.storage.remove(kept);
  const failing = { ...deps, storage: { ...deps.storage, remove } };
  await expect(uploads.complete(failing, ownWork, id, [part.id], null)).rejects.toThrow("disk failure");
  const page = { purpose: null, limit: 10, order: "asc", after: null } as const;
  const [file] = (await files.list(deps, ownWork, page)).files;
  if (file === undefined) throw new Error("the upload made no file");
  expect((await buffer(deps.storage.read(file))).toString()).toBe(text);
});
