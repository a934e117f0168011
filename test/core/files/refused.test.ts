import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { type TestService, startService } from "../../support/service.js";
import { testKey } from "../../support/settings.js";
import { createStore, errorOf } from "../../support/stores.js";

/*
 * A refused request leaves the database as it was, down to the store's last use. Every table is compared, so a new
 * table needs no line here.
 */

let service: TestService;
let ids: Record<"store" | "expired" | "file" | "attached" | "upload" | "part" | "ended", string>;
const day = 86_400_000;

async function snapshot(): Promise<Record<string, unknown>> {
  const { database } = service;
  const tables = await database.query<{ name: string }>(
    "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
  );
  const rows: Record<string, unknown> = {};
  for (const { name } of tables) {
    rows[name] = await database.query(`SELECT to_jsonb(t)::text AS row FROM "${name}" AS t ORDER BY 1`);
  }
  return rows;
}

const idOf = (answer: { body: unknown }) => (answer.body as { id: string }).id;
const form = (path: string) => request(service.url).post(path).set("authorization", `Bearer ${testKey}`);
const keepFile = async (text: string) =>
  idOf(await form("/v1/files").field("purpose", "assistants").attach("file", Buffer.from(text), "a.txt").expect(200));
const addPart = async (upload: string, text: string) =>
  idOf(await form(`/v1/uploads/${upload}/parts`).attach("data", Buffer.from(text), "part").expect(200));
const upload = { filename: "c.txt", bytes: 5, purpose: "assistants", mime_type: "text/plain" };

beforeAll(async () => {
  service = await startService({ environment: { MAX_FILE_MB: "1" } });
  const expiring = { expires_after: { anchor: "last_active_at", days: 1 } };
  const expired = await createStore(service, expiring);
  service.advance(2 * day);
  const store = await createStore(service, { expires_after: { anchor: "last_active_at", days: 30 } });
  const [file, attached] = [await keepFile("Some words."), await keepFile("Some other words.")];
  await service.post(`/v1/vector_stores/${store}/files`, { file_id: attached }).expect(200);
  const [begun, ended] = [
    idOf(await service.post("/v1/uploads", upload).expect(200)),
    idOf(await service.post("/v1/uploads", upload).expect(200)),
  ];
  const part = await addPart(begun, "hello");
  await service.post(`/v1/uploads/${ended}/cancel`).expect(200);
  ids = { store, expired, file, attached, upload: begun, part, ended };
});
afterAll(() => service.close());

interface Refused {
  name: string;
  status: number;
  param: string | null;
  send: () => request.Test;
}
const unknownStore = "vs_01900000000070008000000000000000";
const unknownFile = "file-01900000000070008000000000000000";
const strategy = { type: "static", static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0 } };
const path = (rest: string, store = ids.store) => `/v1/vector_stores/${store}${rest}`;
const twoFiles = (to: string) =>
  form(to).attach("file", Buffer.from("One text."), "one.txt").attach("file", Buffer.from("Another text."), "two.txt");

const attaching: Refused[] = [
  {
    ...{ name: "an unknown file", status: 404, param: "id" },
    send: () => service.post(path("/files"), { file_id: unknownFile }),
  },
  {
    ...{ name: "an unknown file, to an unknown store", status: 404, param: "vector_store_id" },
    send: () => service.post(path("/files", unknownStore), { file_id: unknownFile }),
  },
  {
    ...{ name: "an unknown file, to an expired store", status: 400, param: "vector_store_id" },
    send: () => service.post(path("/files", ids.expired), { file_id: unknownFile }),
  },
  {
    ...{ name: "a file with a reserved attribute", status: 400, param: "attributes.file_id" },
    send: () => service.post(path("/files"), { file_id: ids.file, attributes: { file_id: "x" } }),
  },
  {
    ...{ name: "an attached file with other settings", status: 409, param: "file_id" },
    send: () => service.post(path("/files"), { file_id: ids.attached, chunking_strategy: strategy }),
  },
  {
    ...{ name: "a batch with a reserved attribute", status: 400, param: "attributes.place" },
    send: () => service.post(path("/file_batches"), { file_ids: [ids.file], attributes: { place: "x" } }),
  },
  {
    ...{ name: "a batch whose second file has a reserved attribute", status: 400, param: "files[1].attributes.place" },
    send: () =>
      service.post(path("/file_batches"), {
        files: [{ file_id: ids.file }, { file_id: ids.attached, attributes: { place: "x" } }],
      }),
  },
  {
    ...{ name: "a batch, to an expired store", status: 400, param: "vector_store_id" },
    send: () => service.post(path("/file_batches", ids.expired), { file_ids: [ids.file] }),
  },
  {
    ...{ name: "texts, the second with a reserved attribute", status: 400, param: "metadatas[1].chunk_index" },
    send: () => service.post(path("/files"), { texts: ["one", "two"], metadatas: [null, { chunk_index: 1 }] }),
  },
  {
    ...{ name: "texts, to an expired store", status: 400, param: "vector_store_id" },
    send: () => service.post(path("/files", ids.expired), { texts: ["one"] }),
  },
  {
    ...{ name: "attributes of an unknown file", status: 404, param: "id" },
    send: () => service.post(path(`/files/${unknownFile}`), { attributes: { colour: "red" } }),
  },
  {
    ...{ name: "a reserved attribute of an attached file", status: 400, param: "attributes.file_id" },
    send: () => service.post(path(`/files/${ids.attached}`), { attributes: { file_id: "x" } }),
  },
  {
    ...{ name: "attributes of a file of an expired store", status: 400, param: "vector_store_id" },
    send: () => service.post(path(`/files/${ids.attached}`, ids.expired), { attributes: { colour: "red" } }),
  },
  {
    ...{ name: "detaching an unknown file", status: 404, param: "id" },
    send: () => service.delete(path(`/files/${unknownFile}`)),
  },
  {
    ...{ name: "cancelling an unknown batch", status: 404, param: "batch_id" },
    send: () => service.post(path("/file_batches/vsfb_01900000000070008000000000000000/cancel")),
  },
];

const uploading: Refused[] = [
  {
    ...{ name: "documents, to an expired store", status: 400, param: "vector_store_id" },
    send: () => twoFiles(path("/upload", ids.expired)),
  },
  {
    ...{ name: "a form without a file", status: 400, param: "file" },
    send: () => form(path("/upload")).field("replace", "true"),
  },
  {
    ...{ name: "two documents with a wrong setting", status: 400, param: "chunk_size" },
    send: () => twoFiles(path("/upload")).field("chunk_size", "many"),
  },
  {
    ...{ name: "two documents with a reserved attribute", status: 400, param: "attributes.file_id" },
    send: () => twoFiles(path("/upload")).field("attributes", '{"file_id":"x"}'),
  },
  {
    ...{ name: "a document that cannot be read", status: 400, param: "file" },
    send: () => form(path("/upload")).attach("file", Buffer.from("not a PDF"), "a.pdf"),
  },
  {
    ...{ name: "a file with an unknown purpose", status: 400, param: "purpose" },
    send: () => form("/v1/files").field("purpose", "").attach("file", Buffer.from("x"), "a.txt"),
  },
  {
    ...{ name: "an upload that is too large", status: 400, param: "bytes" },
    send: () => service.post("/v1/uploads", { ...upload, bytes: 2 ** 21 }),
  },
  {
    ...{ name: "a part without bytes", status: 400, param: "data" },
    send: () => form(`/v1/uploads/${ids.upload}/parts`).field("other", "x"),
  },
  {
    ...{ name: "a part of a cancelled upload", status: 400, param: "upload_id" },
    send: () => form(`/v1/uploads/${ids.ended}/parts`).attach("data", Buffer.from("hello"), "part"),
  },
  {
    ...{ name: "completing with an unknown part", status: 400, param: "part_ids[0]" },
    send: () => service.post(`/v1/uploads/${ids.upload}/complete`, { part_ids: ["part_x"] }),
  },
  {
    ...{ name: "completing without all bytes", status: 400, param: "part_ids" },
    send: () => service.post(`/v1/uploads/${ids.upload}/complete`, { part_ids: [] }),
  },
  {
    ...{ name: "completing with a wrong checksum", status: 400, param: "md5" },
    send: () => service.post(`/v1/uploads/${ids.upload}/complete`, { part_ids: [ids.part], md5: "0".repeat(32) }),
  },
  {
    ...{ name: "cancelling a cancelled upload", status: 400, param: "upload_id" },
    send: () => service.post(`/v1/uploads/${ids.ended}/cancel`),
  },
];

const changingStores: Refused[] = [
  {
    ...{ name: "creating a store with files and an unknown language", status: 400, param: "language" },
    send: () => service.post("/v1/vector_stores", { file_ids: [ids.file], language: "klingon" }),
  },
  {
    ...{ name: "updating a store to an unknown language", status: 400, param: "language" },
    send: () => service.post(path(""), { name: "new", language: "klingon" }),
  },
  {
    ...{ name: "updating an unknown store", status: 404, param: "vector_store_id" },
    send: () => service.post(path("", unknownStore), { name: "new" }),
  },
  {
    ...{ name: "deleting an unknown store", status: 404, param: "vector_store_id" },
    send: () => service.delete(path("", unknownStore)),
  },
  {
    ...{ name: "deleting an unknown file", status: 404, param: "id" },
    send: () => service.delete(`/v1/files/${unknownFile}`),
  },
];

describe.each(Object.entries({ attaching, uploading, changingStores }))(
  "a refused request changes no row: %s",
  (_group, requests) => {
    test.each(requests.map((each): [string, Refused] => [each.name, each]))("%s", async (_name, refused) => {
      // Past the second within which a store's use is recorded once.
      service.advance(5000);
      const before = await snapshot();
      const answer = await refused.send();
      expect({ status: answer.status, param: errorOf(answer).param }).toEqual({
        status: refused.status,
        param: refused.param,
      });
      expect(await snapshot()).toEqual(before);
    });
  },
);

test("an accepted request is a use of the store", async () => {
  const lastUse = async () =>
    ((await service.get(path("")).expect(200)).body as { last_active_at: number }).last_active_at;
  const document = () => form(path("/upload")).attach("file", Buffer.from("A document."), "used.txt").expect(200);
  await document();
  const uses: (() => request.Test)[] = [
    () => service.post(path("/files"), { file_id: ids.file }).expect(200),
    () => service.post(path("/files"), { file_id: ids.file }).expect(200),
    () => service.post(path("/file_batches"), { file_ids: [ids.file] }).expect(200),
    () => service.post(path("/files"), { texts: ["A text."] }).expect(200),
    () => service.post(path(`/files/${ids.attached}`), { attributes: { colour: "red" } }).expect(200),
    // The store has it already, so nothing is ingested.
    document,
  ];
  for (const use of uses) {
    const before = await lastUse();
    service.advance(5000);
    await use();
    expect(await lastUse()).toBeGreaterThanOrEqual(before + 5);
  }
});
