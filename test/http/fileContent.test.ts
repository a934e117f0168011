import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import request from "supertest";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";

const megabyte = 1024 * 1024;
let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Uploads a file. @returns its id */
async function upload(text: string, filename = "a.txt", to = service): Promise<string> {
  const answer = await request(to.url)
    .post("/v1/files")
    .set("authorization", `Bearer ${testKey}`)
    .field("purpose", "assistants")
    .attach("file", Buffer.from(text), filename)
    .expect(200);
  return (answer.body as { id: string }).id;
}
const removeSlices = (id: string, from: number) =>
  service.database.query(
    `DELETE FROM vector_store_file_slices WHERE number >= ${from}
     AND content = (SELECT content FROM vector_store_file_objects WHERE id = '${id}')`,
  );
const words = (bytes: number) => "some words ".repeat(bytes / 11 + 1).slice(0, bytes);

describe("the name of a download", () => {
  test.each([
    ["plain.txt", "attachment; filename=plain.txt"],
    ["it's (a) *.txt", `attachment; filename="it's (a) *.txt"`],
    ["a;b.txt", 'attachment; filename="a;b.txt"'],
    ["Übersicht €.txt", `attachment; filename="?bersicht ?.txt"; filename*=UTF-8''%C3%9Cbersicht%20%E2%82%AC.txt`],
    ["漢字'().html", `attachment; filename="??'().html"; filename*=UTF-8''%E6%BC%A2%E5%AD%97%27%28%29.html`],
  ])("%s", async (filename, expected) => {
    const answer = await service.get(`/v1/files/${await upload("x", filename)}/content`).expect(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": expected,
      "x-content-type-options": "nosniff",
    });
  });
});

describe("bytes that are no longer what was stored", () => {
  test("a file without any is an error, not an empty download", async () => {
    const id = await upload(words(10));
    await removeSlices(id, 0);
    const answer = await service.get(`/v1/files/${id}/content`).expect(500);
    expect(answer.body).toEqual({
      error: {
        message: "The file's stored bytes are damaged: 0 of 10 bytes are there.",
        type: "server_error",
        param: null,
        code: "file_damaged",
      },
    });
  });

  test("a download that finds some missing is cut, not ended", async () => {
    const id = await upload(words(3 * megabyte));
    await removeSlices(id, 2);
    const answer = await fetch(`${service.url}/v1/files/${id}/content`, {
      headers: { authorization: `Bearer ${testKey}` },
    });
    expect(answer.headers.get("content-length")).toBe(String(3 * megabyte));
    await expect(answer.arrayBuffer()).rejects.toThrow(/terminated/);
  });

  test("changed bytes of a small file are an error in JSON; a large one is cut", async () => {
    const change = (id: string) =>
      service.database.query(
        `UPDATE vector_store_file_slices SET bytes = set_byte(bytes, 100, 0) WHERE number = 0
         AND content = (SELECT content FROM vector_store_file_objects WHERE id = '${id}')`,
      );
    const [small, large] = [await upload(words(16_384)), await upload(words(3 * megabyte))];
    for (const id of [small, large]) await change(id);
    const answer = await service.get(`/v1/files/${small}/content`).expect(500);
    expect(answer.body).toMatchObject({
      error: {
        code: "file_damaged",
        message:
          "The file's stored bytes are damaged: the 16384 bytes have another SHA-256 than when they were stored.",
      },
    });
    const cut = await fetch(`${service.url}/v1/files/${large}/content`, {
      headers: { authorization: `Bearer ${testKey}` },
    });
    expect(cut.status).toBe(200);
    await expect(cut.arrayBuffer()).rejects.toThrow(/terminated/);
  });

  test("a file with a third of its bytes fails, and says how many there are", async () => {
    const id = await upload(words(3 * megabyte));
    await removeSlices(id, 1);
    const store = await createStore(service);
    await service.post(`/v1/vector_stores/${store}/file_batches`, { file_ids: [id] }).expect(200);
    const read = () => service.get(`/v1/vector_stores/${store}/files/${id}`).expect(200);
    let file: { status: string; last_error: unknown };
    do file = (await read()).body as typeof file;
    while (file.status === "in_progress");
    expect(file).toMatchObject({
      status: "failed",
      last_error: {
        code: "server_error",
        message:
          "The file's stored bytes are damaged: 1048576 of 3145728 bytes are there. Delete the file and upload it again.",
      },
    });
  });

  test("a file that is missing in FILES_DIR is an error in JSON", async () => {
    const directory = await mkdtemp(join(tmpdir(), "vector-store-files-"));
    const other = await startService({ environment: { FILES_DIR: directory } });
    try {
      const id = await upload("text", "a.txt", other);
      for (const folder of readdirSync(directory).filter((name) => name.length === 2))
        rmSync(join(directory, folder), { recursive: true });
      const answer = await other.get(`/v1/files/${id}/content`).expect(500);
      const damaged = {
        error: { code: "file_damaged", message: "The file's stored bytes are damaged: they are missing in FILES_DIR." },
      };
      expect(answer.body).toMatchObject(damaged);
      // Nor does an upload become a file without one of its parts.
      const announced = { filename: "b.txt", bytes: 4, purpose: "assistants", mime_type: "text/plain" };
      const begun = (await other.post("/v1/uploads", announced).expect(200)).body as { id: string };
      const part = await request(other.url)
        .post(`/v1/uploads/${begun.id}/parts`)
        .set("authorization", `Bearer ${testKey}`)
        .attach("data", Buffer.from("text"), "part")
        .expect(200);
      for (const folder of readdirSync(directory).filter((name) => name.length === 2))
        rmSync(join(directory, folder), { recursive: true });
      const ids = { part_ids: [(part.body as { id: string }).id] };
      const completed = await other.post(`/v1/uploads/${begun.id}/complete`, ids).expect(500);
      expect(completed.body).toMatchObject(damaged);
    } finally {
      await other.close();
    }
  });
});
