import { expect, test } from "@jest/globals";
import request from "supertest";
import { testKey } from "../../support/settings.js";
import { bodyOf, searchStore } from "../../support/stores.js";
import { chunks, eachTest, here, look, paragraphs, upload, work } from "./ingesting.js";

/** Files of equal content that share chunks, when one of them leaves or changes. */

eachTest(here);
const text = paragraphs(9).join("\n\n");
const path = (id: string) => `/v1/vector_stores/${here.store}/files/${id}`;
const put = async (attributes: object = {}) => {
  const id = await upload(text, { chunk_size: "200", chunk_overlap: "0", attributes: JSON.stringify(attributes) });
  await work();
  return id;
};
/** Uploaded while the first one was under way: otherwise the upload is answered with the first file. */
const putTwins = async (count: number, attributes: object = {}) => {
  const fields = { chunk_size: "200", chunk_overlap: "0", attributes: JSON.stringify(attributes) };
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(await upload(text, fields));
  while (await work());
  return ids as [string, ...string[]];
};
/** How often the model was asked since the last call. */
const embedded = () => here.proxy.calls().filter((each) => each.endsWith("embeddings")).length;

test("a file that inherits chunks passes their vectors on to later twins", async () => {
  const [first, second = ""] = await putTwins(2);
  expect(embedded()).toBeGreaterThan(1);
  await here.service.delete(path(first)).expect(200);
  const third = await put({ team: "b" });
  expect(await look(third)).toMatchObject({ status: "completed" });
  expect(embedded()).toBe(0);
  expect(await chunks(third)).toEqual(await chunks(second));
});

/** The files that a search with this filter finds. */
const found = async (filters: object) => {
  const hits = await searchStore(here.service, here.store, "subject3", { filters, max_num_results: 50 });
  return [...new Set(hits.map(({ metadata }) => metadata?.file_id))].sort();
};
/** Sends a request; a worker reads the files that it queues. */
const send = async (to: string, body: object) => {
  const reading: Promise<unknown>[] = [];
  here.service.deps.wakeIngestion = () => void reading.push(work());
  const answer = await bodyOf(here.service.post(to, body).expect(200));
  here.service.deps.wakeIngestion = () => undefined;
  await Promise.all(reading);
  while (await work());
  return answer;
};
const set = (id: string, attributes: object) => send(path(id), { attributes });
const agrees = async (id: string, attributes: object) => {
  expect(await look(id)).toMatchObject({ status: "completed", attributes });
  expect(await found(attributes)).toEqual([id]);
};

test("of files that share chunks, one with new attributes gets its own, whose vectors are copied", async () => {
  const [first, second = "", third = ""] = await putTwins(3, { team: "a" });
  const stored = await chunks(first);
  embedded();
  await set(second, { team: "b" });
  await agrees(second, { team: "b" });
  expect(await found({ team: "a" })).toEqual([first]);
  expect(await chunks(second)).toEqual(stored);
  expect(embedded()).toBe(1); // The search.

  // The one that has the chunks leaves them to the one that still shares them.
  await set(first, { team: "secret" });
  await agrees(first, { team: "secret" });
  await agrees(third, { team: "a" });
  await here.service.delete(path(first)).expect(200);
  expect(await found({ team: "secret" })).toEqual([]);
  await agrees(second, { team: "b" });
  await agrees(third, { team: "a" });
  for (const id of [second, third]) await here.service.delete(path(id)).expect(200);
  expect(await here.service.database.query("SELECT 1 FROM embeddings")).toEqual([]);
});

test("the same attributes again change nothing, and attaching a file again gives it chunks of its own, too", async () => {
  const [first, second = ""] = await putTwins(2, { team: "a" });
  expect(await set(first, { team: "a" })).toMatchObject({ status: "completed" });
  expect(await set(second, { team: "a" })).toMatchObject({ status: "completed", same_as: first });
  const files = [second].map((id) => ({ file_id: id, attributes: { team: "b" } }));
  await send(`/v1/vector_stores/${here.store}/file_batches`, { files });
  await agrees(second, { team: "b" });
  await agrees(first, { team: "a" });
});

test("a file that gets chunks of its own does not replace others again", async () => {
  const fields = { chunk_size: "200", chunk_overlap: "0" };
  const ids = [await upload(text, { ...fields, replace: "true" }), await upload(text, fields)];
  while (await work());
  const other = await upload("another version");
  while (await work());
  for (const id of ids) await set(id, { n: ids.indexOf(id) });
  expect(await look(other)).toMatchObject({ status: "completed" });
});

test("a document that the store has replaces others of its name, whenever it is found to be the same", async () => {
  const fields = { chunk_size: "200", chunk_overlap: "0" };
  const listed = async () => {
    const { data } = (await bodyOf(here.service.get(`/v1/vector_stores/${here.store}/files`))) as {
      data: { id: string }[];
    };
    return data.map(({ id }) => id).sort();
  };
  const again = { ...fields, replace: "true" };
  const first = await upload(text, fields);
  while (await work());
  await upload("version two", fields);
  while (await work());
  // It is complete already.
  const answer = await request(here.service.url)
    .post(`/v1/vector_stores/${here.store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .field(again)
    .attach("file", Buffer.from(text), "doc.txt")
    .expect(200);
  expect(answer.body).toMatchObject({ id: first });
  expect(await listed()).toEqual([first]);
  expect((await here.service.database.query("SELECT 1 FROM embeddings")).length).toBe((await chunks(first)).length);

  // A version under way, which would replace this one later, was sent before it.
  await upload("version three", again);
  expect(await upload(text, again)).toBe(first);
  while (await work());
  expect(await listed()).toEqual([first]);

  // It becomes complete while another one waits.
  await here.service.delete(path(first)).expect(200);
  const kept = await upload(text, fields);
  const other = await upload("version two", fields);
  const ids = [kept, await upload(text, again)];
  await work();
  await here.service.database.exec(
    `UPDATE vector_store_files SET run_after = now() + interval '1 h' WHERE file_id = '${ids[1] ?? ""}'`,
  );
  await work();
  expect(await look(other)).toMatchObject({ status: "completed" });
  await here.service.database.exec("UPDATE vector_store_files SET run_after = now()");
  while (await work());
  expect(await listed()).toEqual(ids.slice(1));
  expect((await here.service.database.query("SELECT 1 FROM embeddings")).length).toBe(
    (await chunks(ids[1] ?? "")).length,
  );
});

test("an attribute `filename` is the same in searches whenever it is set, and leaves no trace", async () => {
  const attributes = { filename: "custom" };
  const early = await put(attributes);
  const hits = async (fileId: string) => {
    const found = { query: "subject3", filters: { file_id: fileId } };
    const { data } = (await bodyOf(here.service.post(`/v1/vector_stores/${here.store}/search`, found))) as {
      data: { filename: string; attributes: object; metadata: object }[];
    };
    const [hit] = data;
    return { filename: hit?.filename, attributes: hit?.attributes };
  };
  expect(await hits(early)).toEqual({ filename: "doc.txt", attributes });
  await set(early, {});
  expect(await hits(early)).toEqual({ filename: "doc.txt", attributes: {} });
  await set(early, attributes);
  expect(await hits(early)).toEqual({ filename: "doc.txt", attributes });
  await set(early, { team: "a" });
  expect(await hits(early)).toEqual({ filename: "doc.txt", attributes: { team: "a" } });
});
