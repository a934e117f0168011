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

async function upload(content = "the same text", fields: Record<string, string> = {}): Promise<string> {
  const sent = request(service.url)
    .post(`/v1/vector_stores/${store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async");
  for (const [name, value] of Object.entries(fields)) void sent.field(name, value);
  return ((await sent.attach("file", Buffer.from(content), "a.txt").expect(202)).body as { id: string }).id;
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

test("a twin waits for the first one; other content and other settings do not", async () => {
  const first = await upload();
  const twin = await upload();
  const other = await upload("another text");
  const cut = await upload("the same text", { chunk_size: "100" });
  const labelled = await upload("the same text", { attributes: '{"a": 1}' });
  expect(await take("a")).toBe(first);
  expect(await take("b")).toBe(other);
  expect(await take("c")).toBe(cut);
  expect(await take("d")).toBe(labelled);
  expect(await take("e")).toBeUndefined();
  // The first one is detached: its twin goes on.
  await service.delete(`/v1/vector_stores/${store}/files/${first}`).expect(200);
  expect(await take("e")).toBe(twin);
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
