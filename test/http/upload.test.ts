import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createConnection } from "node:net";
import request from "supertest";
import { type TestService, startService } from "../support/service.js";
import { createStore } from "../support/stores.js";
import { testKey } from "../support/settings.js";

let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: { MAX_FILE_MB: "1" } });
});
afterAll(() => service.close());

const form = (path: string) => request(service.url).post(path).set("authorization", `Bearer ${testKey}`);
const uploadTo = (storeId: string) => form(`/v1/vector_stores/${storeId}/upload`);
const count = async (table: string) =>
  (await service.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;
/** State that a refused request must not change. */
const leftOver = async () => ({
  slices: await count("vector_store_file_slices"),
  files: await count("vector_store_file_objects"),
  storeFiles: await count("vector_store_files"),
  rows: await count("embeddings"),
});
interface Answered {
  id: string;
  chunks: number;
}

describe("POST …/upload", () => {
  test("answers once searches find the document", async () => {
    const store = await createStore(service);
    const answer = await uploadTo(store)
      .field("chunk_size", "100")
      .field("chunk_overlap", "10")
      .field("attributes", '{"lang":"en"}')
      .attach("file", Buffer.from("# Opening hours\n\nWe open at nine.\n\n# Address\n\nMain street 5.\n"), "info.md")
      .expect(200);
    expect(answer.body).toMatchObject({
      id: expect.stringMatching(/^file-/),
      filename: "info.md",
      status: "completed",
      attributes: { lang: "en" },
      chunking_strategy: { type: "other" },
      progress: { stage: "done" },
    });
    const found = await service.post(`/v1/vector_stores/${store}/search`, {
      query: "open at nine",
      filters: { lang: "en" },
    });
    const { data } = found.body as { data: Record<string, unknown>[] };
    expect(data[0]).toMatchObject({ filename: "info.md", chunk_index: 0, section: "Opening hours" });
    expect(data).toHaveLength((answer.body as Answered).chunks);
  });

  test("several files give a list, each with its own outcome", async () => {
    const store = await createStore(service);
    const answer = await uploadTo(store)
      .attach("file", Buffer.from("good"), "good.txt")
      .attach("file", Buffer.from("%PDF-1.7 broken"), "bad.pdf")
      .expect(200);
    expect(answer.body).toMatchObject({
      object: "list",
      data: [
        { filename: "good.txt", status: "completed" },
        { filename: "bad.pdf", status: "failed", last_error: { code: "invalid_file" } },
      ],
    });
  });

  test("the same document is added once; a changed one replaces it if asked to", async () => {
    const store = await createStore(service);
    const send = (text: string, replace = "false") =>
      uploadTo(store).field("replace", replace).attach("file", Buffer.from(text), "doc.txt").expect(200);
    const first = (await send("version one")).body as Answered;
    expect(((await send("version one")).body as Answered).id).toBe(first.id);
    const second = (await send("version two", "true")).body as Answered;
    expect(second.id).not.toBe(first.id);
    const found = await service.post(`/v1/vector_stores/${store}/search`, { query: "version" });
    expect((found.body as { data: object[] }).data).toMatchObject([{ content: [{ text: "version two" }] }]);
    const stored = await service.get(`/v1/vector_stores/${store}`);
    expect(stored.body).toMatchObject({ file_counts: { completed: 1, total: 1 } });
  });

  test("Prefer: respond-async answers at once", async () => {
    const store = await createStore(service);
    const answer = await uploadTo(store)
      .set("prefer", "respond-async")
      .attach("file", Buffer.from("later"), "later.txt")
      .expect(202);
    expect(answer.headers["preference-applied"]).toBe("respond-async");
    const { id } = answer.body as Answered;
    for (;;) {
      const answered = await service.get(`/v1/vector_stores/${store}/files/${id}`).expect(200);
      if ((answered.body as { status: string }).status === "completed") break;
    }
  });
});

describe("texts", () => {
  test("are added with their metadata, listed and deleted", async () => {
    const store = await createStore(service);
    const path = `/v1/vector_stores/${store}/files`;
    const answer = await service.post(path, { texts: ["alpha one", "beta two"], metadatas: [{ n: 1 }, null] });
    expect(answer.body).toMatchObject({
      object: "list",
      data: [
        { status: "completed", attributes: { n: 1 } },
        { status: "completed", attributes: null },
      ],
    });
    const listed = (await service.get(`${path}?order=asc`)).body as { data: { id: string }[] };
    expect(listed.data).toHaveLength(2);
    await service.delete(`${path}/${listed.data[0]?.id ?? ""}`).expect(200);
    const found = await service.post(`/v1/vector_stores/${store}/search`, { query: "alpha beta" });
    expect((found.body as { data: object[] }).data).toMatchObject([{ content: [{ text: "beta two" }] }]);
  });
});

describe("a refused upload leaves nothing", () => {
  let store: string;
  let before: Awaited<ReturnType<typeof leftOver>>;
  beforeAll(async () => {
    store = await createStore(service);
    before = await leftOver();
  });
  const boundary = "----x";
  const part = (name: string, body: string, filename = "") =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === "" ? "" : `; filename="${filename}"`}\r\n\r\n${body}\r\n`;
  const raw = (body: string | Buffer, type = `multipart/form-data; boundary=${boundary}`) =>
    uploadTo(store).set("content-type", type).send(body);

  test.each([
    ["no file", () => uploadTo(store).field("chunk_size", "100"), 400, "file", /required/],
    [
      "a wrong field after the file",
      () => uploadTo(store).attach("file", Buffer.from("x"), "x.txt").field("chunk_size", "many"),
      400,
      "chunk_size",
      /expected a whole number/,
    ],
    [
      "too much overlap",
      () =>
        uploadTo(store).field("chunk_size", "100").field("chunk_overlap", "51").attach("file", Buffer.from("x"), "x"),
      400,
      "chunk_overlap",
      /at most half of chunk_size/,
    ],
    ...(
      [
        ["{", "attributes", /not valid JSON/],
        ["[]", "attributes", /^attributes: expected an object$/],
        ['{"a":1,"a":2}', "attributes.a", /given more than once/],
        ["[".repeat(1000), "attributes", /nested more than 100 levels/],
        ['{"a":"\\u0000"}', "attributes.a", /U\+0000/],
        ['{"a":{"b":1}}', "attributes.a", /^attributes\.a: expected a string/],
        [`{"${"a".repeat(65)}":1}`, `attributes.${"a".repeat(64)}`, /at most 64 characters/],
        ['{"file_id":"x"}', "attributes.file_id", /used by the service/],
      ] as const
    ).map(([attributes, param, message]): [string, () => request.Test, number, string, RegExp] => [
      `attributes ${attributes.slice(0, 30)}`,
      () => uploadTo(store).field("attributes", attributes).attach("file", Buffer.from("x"), "x.txt"),
      400,
      param,
      message,
    ]),
    [
      "a byte too many",
      () => uploadTo(store).attach("file", Buffer.alloc(1024 * 1024 + 1, 97), "x.txt"),
      413,
      "file",
      /larger than 1 MB/,
    ],
    ["JSON", () => service.post(`/v1/vector_stores/${store}/upload`, {}), 415, "content-type", /multipart\/form-data/],
    ["a form without a boundary", () => raw("x", "multipart/form-data"), 415, "content-type", /multipart/],
    ["a form without an end", () => raw(part("file", "abc", "x.txt")), 400, null, /form cannot be read/],
    ["an empty form", () => raw(`--${boundary}--\r\n`), 400, "file", /required/],
    [
      "a document that cannot be read",
      () => uploadTo(store).attach("file", Buffer.from("PK\u0003\u0004 broken"), "x.docx"),
      400,
      "file",
      /^x\.docx: /,
    ],
    ["an empty document", () => uploadTo(store).attach("file", Buffer.alloc(0), "x.txt"), 400, "file", /empty/],
  ] as const)("%s", async (_, send, status, param, message) => {
    const answer = await send();
    expect(answer.body).toMatchObject({ error: { param, message: expect.stringMatching(message) } });
    expect(answer.status).toBe(status);
    expect(await leftOver()).toEqual(before);
  });

  test("a file of exactly the allowed size is accepted", async () => {
    const answer = await form("/v1/files")
      .field("purpose", "assistants")
      .attach("file", Buffer.alloc(1024 * 1024, 97), "x.txt")
      .expect(200);
    await service.delete(`/v1/files/${(answer.body as Answered).id}`).expect(200);
  });

  test("a sender that disconnects half-way", async () => {
    const { hostname, port } = new URL(service.url);
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection(Number(port), hostname, () => {
        socket.write(
          `POST /v1/vector_stores/${store}/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testKey}\r\n` +
            `Content-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: 900000\r\n\r\n` +
            `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\n${"a".repeat(600_000)}`,
          () => {
            socket.destroy();
            resolve();
          },
        );
      });
      socket.once("error", reject);
    });
    // The server may not have noticed the request yet.
    for (let i = 0; i < 20; i += 1) {
      await service.get("/health");
      expect((await leftOver()).files).toBe(before.files);
    }
    const settled = async () => (await leftOver()).slices === before.slices;
    while (!(await settled())) await service.get("/health");
  });
});

describe("POST /v1/files", () => {
  test.each([
    ["without a purpose", {}, "purpose"],
    ["with an unknown one", { purpose: "fun" }, "purpose"],
    [
      "with an expiry that is too short",
      { purpose: "evals", "expires_after[anchor]": "created_at", "expires_after[seconds]": "5" },
      "expires_after.seconds",
    ],
    ["with an expiry that is not JSON", { purpose: "evals", expires_after: "{" }, "expires_after"],
    ["with a deep expiry", { purpose: "evals", expires_after: "[".repeat(1000) }, "expires_after"],
    ["with an expiry twice", { purpose: "evals", expires_after: '{"seconds":1,"seconds":2}' }, "expires_after.seconds"],
  ])("%s is refused and leaves nothing", async (_, fields, param) => {
    const before = await leftOver();
    const sent = form("/v1/files").attach("file", Buffer.from("x"), "x.txt");
    for (const [name, value] of Object.entries(fields)) void sent.field(name, value);
    const answer = await sent.expect(400);
    expect(answer.body).toMatchObject({ error: { param } });
    expect(await leftOver()).toEqual(before);
  });

  test("an expiry as JSON, as other clients send it, and a filename without its path", async () => {
    const answer = await form("/v1/files")
      .field("purpose", "assistants")
      .field("expires_after", '{"anchor":"created_at","seconds":3600}')
      .attach("file", Buffer.from("x"), { filename: "../../etc/passwd" })
      .expect(200);
    expect(answer.body).toMatchObject({ filename: "passwd", bytes: 1 });
    service.advance(3_601_000);
    await service.get(`/v1/files/${(answer.body as Answered).id}`).expect(404);
  });
});
