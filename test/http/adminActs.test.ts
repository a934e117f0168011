import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { send } from "./requests.js";

/** What administrators do to what is not theirs is in the audit log; what owners do to their own is not. */

interface Entry {
  actor: string;
  action: string;
  target: string;
  details: Record<string, unknown>;
  address: string | null;
  request_id: string | null;
}

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.keys.set("sk-ann", { user_id: "ann" });
  litellm.keys.set("sk-root", { user_id: "root" });
  litellm.users.set("root", "proxy_admin");
  service = await startService({ environment: litellm.environment });
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = (key: string, method: string, path: string, body?: object) =>
  send(service.url, { method, path: `/v1${path}`, key, ...(body !== undefined && { body }) });
const idOf = ({ text }: { text: string }) => (JSON.parse(text) as { id: string }).id;
async function upload(key: string) {
  const sent = request(service.url).post("/v1/files").set("authorization", `Bearer ${key}`);
  const answer = await sent.field("purpose", "assistants").attach("file", Buffer.from("text"), "a.txt").expect(200);
  return (answer.body as { id: string }).id;
}
const vector = Array.from({ length: 8 }, (_, i) => (i === 0 ? 1 : 0));

/** A store with a row and a file, and what changes and removes them. */
async function work(owner: string, by: string): Promise<{ store: string; file: string; statuses: number[] }> {
  const store = idOf(await ask(owner, "POST", "/vector_stores", { name: "mine" }));
  const path = `/vector_stores/${store}`;
  for (const id of ["a", "b"]) await ask(owner, "POST", `${path}/embeddings`, { id, content: id, embedding: vector });
  const file = await upload(owner);
  await ask(owner, "POST", `${path}/files`, { file_id: file });
  const answers = [
    await ask(by, "POST", path, { name: "theirs", metadata: { a: 1 } }),
    await ask(by, "PATCH", `${path}/embeddings/a`, { metadata: { a: 1 } }),
    await ask(by, "DELETE", `${path}/embeddings/a`),
    await ask(by, "DELETE", `${path}/embeddings`, { all: true }),
    await ask(by, "POST", `${path}/files/${file}`, { attributes: { a: 1 } }),
    await ask(by, "DELETE", `${path}/files/${file}`),
    await ask(by, "DELETE", `/files/${file}`),
    await ask(by, "DELETE", path),
  ];
  return { store, file, statuses: answers.map(({ status }) => status) };
}

const acts = async () => {
  const { text } = await ask(litellm.masterKey, "GET", "/admin/audit?limit=100");
  return (JSON.parse(text) as { data: Entry[] }).data.reverse();
};
const done = [200, 200, 200, 200, 200, 200, 200, 200];

describe("of an administrator", () => {
  test.each([
    ["the master key", () => litellm.masterKey, "master"],
    ["a user who is one", () => "sk-root", "user:root"],
  ])("%s: each act on somebody else's things is written down", async (_name, key, actor) => {
    const before = (await acts()).length;
    const { store, file, statuses } = await work("sk-ann", key());
    expect(statuses).toEqual(done);
    const entries = (await acts()).slice(before);
    const owner = { userId: "ann", teamId: null, keyId: null };
    expect(entries.map(({ action, target, details }) => [action, target, details])).toEqual([
      ["store.update", store, { name: "theirs", fields: ["metadata"], owner }],
      ["embeddings.update", store, { rows: 1, owner }],
      ["embeddings.delete", store, { rows: 1, owner }],
      ["embeddings.delete", store, { rows: 1, owner }],
      ["store_file.update", store, { fileId: file, filename: "a.txt", owner }],
      ["store_file.delete", store, { fileId: file, filename: "a.txt", owner }],
      ["file.delete", file, { filename: "a.txt", owner }],
      ["store.delete", store, { name: "theirs", rows: 0, owner }],
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({ actor, address: expect.any(String), request_id: expect.any(String) });
    }
  });

  test.each([
    ["the master key", () => litellm.masterKey],
    ["a user who is one", () => "sk-root"],
  ])("%s: acts on its own things are not", async (_name, key) => {
    const before = await acts();
    expect((await work(key(), key())).statuses).toEqual(done);
    expect(await acts()).toEqual(before);
  });
});

test("what owners do to their own is no administrative act", async () => {
  const before = await acts();
  expect((await work("sk-ann", "sk-ann")).statuses).toEqual(done);
  expect(await acts()).toEqual(before);
});

test("a refused act leaves no entry", async () => {
  const store = idOf(await ask("sk-ann", "POST", "/vector_stores", { name: "mine" }));
  const before = await acts();
  expect((await ask(litellm.masterKey, "DELETE", `/vector_stores/${store}/files/file-unknown`)).status).toBe(404);
  expect(await acts()).toEqual(before);
});
