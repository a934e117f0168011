import { expect, test } from "@jest/globals";
import request from "supertest";
import { testKey } from "../../support/settings.js";
import { bodyOf, searchStore } from "../../support/stores.js";
import { attach, chunks, eachTest, here, look, paragraphs, upload, work } from "./ingesting.js";

/** Which files of a name stay when one that replaces is complete: those that were attached after it. */

eachTest(here);
const replace = { replace: "true" };
const listed = async () => {
  const { data } = (await bodyOf(here.service.get(`/v1/vector_stores/${here.store}/files`))) as {
    data: { id: string; status: string }[];
  };
  return data.map(({ id, status }) => `${id} ${status}`).sort();
};
const completed = (...ids: string[]) => ids.map((id) => `${id} completed`).sort();
const found = async () => {
  const hits = await searchStore(here.service, here.store, "version", { max_num_results: 50 });
  return [...new Set(hits.map(({ metadata }) => metadata?.file_id))].sort();
};
/** Lets workers finish everything but this file, and then this file. */
async function finishLast(id: string) {
  const { database } = here.service;
  await database.exec(`UPDATE vector_store_files SET run_after = now() + interval '1 h' WHERE file_id = '${id}'`);
  while (await work());
  await database.exec("UPDATE vector_store_files SET run_after = now()");
  while (await work());
}

test("a slow one does not remove what came after it, whether that replaces or not", async () => {
  const old = await upload("version one", replace);
  const later = [await upload("version two"), await attach("version three")];
  await finishLast(old);
  expect(await listed()).toEqual(completed(old, ...later));
});

test("one that is complete removes those before it that are still under way", async () => {
  for (const fields of [replace, {}]) {
    const old = await upload("version one", fields);
    const newer = await upload("version two", replace);
    await finishLast(old);
    expect(await listed()).toEqual(completed(newer));
    expect(await found()).toEqual([newer]);
  }
});

test("an old one that is read again for new attributes is removed", async () => {
  const twins = [
    await upload("version one", { attributes: '{"t": "a"}' }),
    await upload("version one", { attributes: '{"t": "a"}' }),
  ] as const;
  while (await work());
  await here.service.post(`/v1/vector_stores/${here.store}/files/${twins[0]}`, { attributes: { t: "b" } }).expect(200);
  expect(await look(twins[0])).toMatchObject({ status: "in_progress" });
  const newer = await upload("version two", replace);
  await finishLast(twins[0]);
  expect(await listed()).toEqual(completed(newer));
  expect(await found()).toEqual([newer]);
});

const rows = async () => (await here.service.database.query("SELECT 1 FROM embeddings")).length;

test("of the same document sent again before it is complete, only the last stays", async () => {
  const text = paragraphs(9).join("\n\n");
  const fields = { ...replace, chunk_size: "200", chunk_overlap: "0" };
  const ids = [await upload(text, fields), await upload(text, fields), await upload(text, fields)];
  await work();
  const made = await rows();
  expect(made).toBeGreaterThan(4);
  while (await work());
  expect(await listed()).toEqual(completed(...ids.slice(-1)));
  expect(await rows()).toBe(made);
  expect((await chunks(ids[2] ?? "")).length).toBe(made);
  const hits = await searchStore(here.service, here.store, "subject3", { max_num_results: 50 });
  expect(new Set(hits.map(({ metadata }) => metadata?.file_id))).toEqual(new Set(ids.slice(-1)));
  const { file_counts } = (await bodyOf(here.service.get(`/v1/vector_stores/${here.store}`))) as {
    file_counts: object;
  };
  expect(file_counts).toMatchObject({ completed: 1, total: 1 });
});

test("one that replaces shares the chunks with one that was sent later and stays", async () => {
  const [, second, later] = [await upload("same"), await upload("same", replace), await upload("same")];
  await work();
  await finishLast(second);
  expect(await listed()).toEqual(completed(second, later));
  expect(await look(second)).toMatchObject({ same_as: later });
  expect(await rows()).toBe(1);
  await here.service.delete(`/v1/vector_stores/${here.store}/files/${later}`).expect(200);
  expect(await look(second)).not.toHaveProperty("same_as");
  expect(await rows()).toBe(1);
});

test("one with chunks of its own keeps them when it replaces the same document", async () => {
  const text = paragraphs(9).join("\n\n");
  const fields = { chunk_size: "200", chunk_overlap: "0" };
  const first = await upload(text, { ...fields, attributes: '{"t": "a"}' });
  const second = await upload(text, { ...replace, ...fields });
  here.service.deps.limiter.requireRoom = async () => {
    // Its first chunks are stored: the first file gets the same attributes meanwhile, so it is the same document.
    if ((await chunks(second)).length > 0)
      await here.service.post(`/v1/vector_stores/${here.store}/files/${first}`, { attributes: {} }).expect(200);
  };
  while (await work());
  expect(await listed()).toEqual(completed(second));
  expect(await rows()).toBe((await chunks(second)).length);
});

const form = () =>
  request(here.service.url)
    .post(`/v1/vector_stores/${here.store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .field(replace);

test("two documents of one name in a form that replaces are refused, and leave nothing", async () => {
  const answer = await form()
    .attach("file", Buffer.from("one kiwi"), "d.txt")
    .attach("file", Buffer.from("two mango"), "d.txt")
    .expect(400);
  expect(answer.body).toMatchObject({
    error: { param: "files", message: expect.stringMatching(/"d\.txt" is there twice/) },
  });
  expect(await listed()).toEqual([]);
  expect(await here.service.database.query("SELECT 1 FROM vector_store_file_slices")).toEqual([]);
});

test("senders of the same document at once all hear that the store has it", async () => {
  const send = () => form().attach("file", Buffer.from("version one"), "doc.txt");
  const { database } = here.service;
  const answering = Promise.all(Array.from({ length: 4 }, () => send().then((answer) => answer)));
  while ((await database.query("SELECT 1 FROM vector_store_files")).length < 4) await new Promise(setImmediate);
  while (await work());
  const answers = await answering;
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const left = answers.map(({ body }) => (body as { id: string }).id).sort();
  expect(await listed()).toEqual(completed(...left.slice(-1)));
});

test("the sender of one that is replaced while it is read hears so, and its file is gone", async () => {
  const answered = form()
    .attach("file", Buffer.from("version one"), "doc.txt")
    .then((answer) => answer);
  const { database } = here.service;
  while ((await database.query("SELECT 1 FROM vector_store_files")).length === 0) await new Promise(setImmediate);
  const [old] = await database.query<{ file_id: string }>("SELECT file_id FROM vector_store_files");
  await upload("version two", replace);
  await finishLast(old?.file_id ?? "");
  const answer = await answered;
  expect(answer.status).toBe(409);
  expect(answer.body).toMatchObject({
    error: {
      param: "file",
      code: "conflict",
      message: expect.stringMatching(/^file: doc\.txt was removed, or replaced/),
    },
  });
  const files = (await bodyOf(here.service.get("/v1/files"))) as { data: { id: string }[] };
  expect(files.data.map(({ id }) => id)).not.toContain(old?.file_id);
});
