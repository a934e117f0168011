import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import request from "supertest";
import { makeMail } from "../formats/makeMail.js";
import { makeZip, type ZipEntry } from "../formats/makeZip.js";
import { testKey } from "../support/settings.js";
import { call } from "../support/httpClient.js";
import { measurable, peakMegabytes } from "../support/memory.js";
import { createServerData, type ServerData } from "../support/serverData.js";
import { compileProgram, type Program, type ServerProcess } from "../support/serverProcess.js";

/**
 * Hostile files, sent to a separate server process: it answers, says what is wrong, keeps nothing and does not grow.
 */

let program: Program;
let data: ServerData;
let server: ServerProcess & { url: string };
let temporary: string;
let store: string;
beforeAll(async () => {
  program = await compileProgram();
  data = await createServerData();
  temporary = mkdtempSync(join(tmpdir(), "vector-store-hostile-"));
  server = await program.start({ ...data.environment, TMPDIR: temporary, MAX_FILE_MB: "8" });
  store = (await call<{ id: string }>(server.url, "POST", "/v1/vector_stores", { name: "hostile" })).body.id;
});
afterAll(async () => {
  await program.remove();
  await data.remove();
  rmSync(temporary, { recursive: true });
});

const megabyte = 2 ** 20;
const form = () =>
  request(server.url).post(`/v1/vector_stores/${store}/upload`).set("authorization", `Bearer ${testKey}`);
const upload = (bytes: Buffer | string, name: string) => form().attach("file", Buffer.from(bytes as string), name);
const get = async <T>(path: string) => (await call<T>(server.url, "GET", path)).body;
interface Listed {
  data: { id: string; filename: string }[];
}
const filenames = async () => {
  const files = (await get<Listed>("/v1/files?limit=10000")).data.map((each) => each.filename);
  return {
    files: files.sort(),
    inStore: (await get<Listed>(`/v1/vector_stores/${store}/files?limit=100`)).data.length,
  };
};
const contentOf = async (id: string) =>
  (await get<{ data: { text: string }[] }>(`/v1/vector_stores/${store}/files/${id}/content`)).data
    .map((each) => each.text)
    .join("\n");

/** Documents are on disk while they are read. Waits until they are removed. */
async function untilNothingIsSpooled(): Promise<void> {
  while (readdirSync(temporary).some((each) => each.startsWith("vector-store-"))) await get("/health");
}

const laughs = `<!DOCTYPE l [<!ENTITY a0 "ha">${Array.from(
  { length: 30 },
  (_, i) => `<!ENTITY a${i + 1} "&a${i};&a${i};&a${i};&a${i};&a${i};&a${i};&a${i};&a${i};&a${i};&a${i};">`,
).join("")}]>`;
const outside = '<!DOCTYPE o [<!ENTITY e SYSTEM "file:///etc/passwd">]>';
const word = (content: string, before = "") =>
  `${before}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${content}</w:body></w:document>`;
const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;
const docx = (document: string | Buffer, about: Partial<ZipEntry> = {}) =>
  makeZip([{ name: "word/document.xml", data: document, ...about }]);
/** 160 MB in 160 KB. */
const bomb = () => word(paragraph("a".repeat(160 * megabyte)));
const attached = (name: string, bytes: Buffer) =>
  [
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    bytes.toString("base64").replace(/.{76}/g, "$&\r\n"),
  ].join("\r\n");
const text = (value: string) => `Content-Type: text/plain\r\n\r\n${value}`;
const mail = (...parts: string[]) => makeMail(["From: a@b.c", "Subject: s"], parts);
const pdf = (stream: Buffer, pages = "/Kids [3 0 R] /Count 1") =>
  Buffer.concat([
    Buffer.from(
      `%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type /Pages ${pages}>>\nendobj\n` +
        "3 0 obj\n<</Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R>>\nendobj\n" +
        `4 0 obj\n<</Filter /FlateDecode /Length ${stream.length}>>\nstream\n`,
    ),
    stream,
    Buffer.from("\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\nstartxref\n999999\n%%EOF\n"),
  ]);

describe("refused with the reason, and not kept", () => {
  test.each<[string, string, () => Buffer | string, RegExp]>([
    ["a zip bomb", "a.docx", () => docx(bomb()), /128 MB/],
    [
      "a zip bomb with false sizes in its directory",
      "a.docx",
      () => docx(bomb(), { claimedSize: 1000 }),
      /128 MB|damaged/,
    ],
    ["a zip bomb of a spreadsheet", "a.xlsx", () => makeZip({ "xl/workbook.xml": bomb() }), /128 MB/],
    [
      "a zip bomb of an OpenDocument",
      "a.odt",
      () => makeZip({ mimetype: "application/vnd.oasis.opendocument.text", "content.xml": bomb() }),
      /128 MB/,
    ],
    ["billion laughs in a Word file", "a.docx", () => docx(word(paragraph("&a9;"), laughs)), /entit/],
    ["an external entity in a Word file", "a.docx", () => docx(word(paragraph("&e;"), outside)), /entit/],
    [
      "entries that lead outside",
      "a.docx",
      () => makeZip({ "word/document.xml": word(paragraph("x")), "../../../etc/cron.d/x": "x" }),
      /unpacked/,
    ],
    [
      "a PDF whose page tree contains itself",
      "a.pdf",
      () => pdf(deflateSync(""), "/Kids [2 0 R 2 0 R] /Count 9999999"),
      /./,
    ],
    ["nothing but NULs", "a.txt", () => Buffer.alloc(4 * megabyte), /./],
    [
      "a picture of nine terabytes",
      "a.png",
      () => Buffer.from("89504e470d0a1a0a0000000d49484452001fffff001fffff0802000000", "hex"),
      /./,
    ],
  ])("%s", async (_, name, make, reason) => {
    const before = await filenames();
    const answer = await upload(make(), name);
    expect(answer.body).toEqual({
      error: {
        type: "invalid_request_error",
        param: "file",
        code: expect.any(String),
        message: expect.stringMatching(reason),
      },
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/node_modules|at \w+ \(|\/src\//);
    expect(await filenames()).toEqual(before);
    await untilNothingIsSpooled();
  });
});

describe("read as what it is", () => {
  test.each<[string, string, () => Buffer | string, RegExp, RegExp]>([
    ["XML with a billion laughs", "a.xml", () => `${laughs}<l>lol &a9; &a30;</l>`, /lol/, /haha/],
    ["XML with an external entity", "a.xml", () => `${outside}<o>there: &e;</o>`, /there/, /root:/],
    [
      "a thousand nested mails",
      "c.eml",
      () =>
        Array.from({ length: 1000 }).reduce<string>(
          (inner) => mail(text("a layer"), `Content-Type: message/rfc822\r\n\r\n${inner}`),
          mail(text("the innermost")),
        ),
      /a layer/,
      /the innermost/,
    ],
    [
      "a mail with five bombs",
      "a.eml",
      () => mail(text("hello"), ...Array.from({ length: 5 }, (_, i) => attached(`${i}.docx`, docx(bomb())))),
      /hello/,
      /aaaaaaaaaa/,
    ],
    [
      "bombs in mails in a mail",
      "b.eml",
      () => mail(text("outer"), attached("i.eml", Buffer.from(mail(text("inner"), attached("x.docx", docx(bomb())))))),
      /inner/,
      /aaaaaaaaaa/,
    ],
    ["text with NULs", "b.txt", () => "be\0fore and af\0ter", /fore/, /\0/],
    [
      "a table that attempts prototype pollution",
      "a.csv",
      () => "__proto__,constructor,toString\npolluted,1,2\n",
      /polluted/,
      /\[object/,
    ],
    [
      "JSON that would, too",
      "a.json",
      () => '{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {"x": "here"}}}',
      /here/,
      /\[object/,
    ],
    [
      "a page of a hundred thousand nested elements",
      "a.html",
      () => `${"<div>".repeat(100_000)}deep${"</div>".repeat(100_000)}`,
      /deep/,
      /div/,
    ],
    [
      "a PDF without its cross-reference table",
      "b.pdf",
      () => pdf(deflateSync("BT /F1 9 Tf 50 700 Td (still there) Tj ET")),
      /still there/,
      /endobj/,
    ],
  ])("%s", async (_, name, make, expected, unexpected) => {
    const answer = await upload(make(), name);
    expect(answer.body).toMatchObject({ status: "completed" });
    const content = await contentOf((answer.body as { id: string }).id);
    expect(content).toMatch(expected);
    expect(content).not.toMatch(unexpected);
    await untilNothingIsSpooled();
  });

  test("filenames with paths are only names", async () => {
    for (const name of ["../../../../etc/cron.d/job.txt", "..\\..\\windows\\job.txt", "/etc/job.txt", ".././job.txt"]) {
      const answer = await upload(`text of ${name}`, name).expect(200);
      expect(answer.body).toMatchObject({ filename: "job.txt" });
    }
  });

  test("attributes that attempt prototype pollution are refused", async () => {
    const before = await filenames();
    const answer = await upload("x", "x.txt").field("attributes", '{"__proto__": {"polluted": 1}}');
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { param: expect.stringMatching(/^attributes/) } });
    expect(await filenames()).toEqual(before);
  });
});

describe("many at once", () => {
  test("two hundred uploads, each answered once it is searchable", async () => {
    const words = (i: number) => Array.from({ length: 600 }, (_, j) => `word${i}x${j % 100}`).join(" ");
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => upload(words(i), `many-${i}.txt`).ok(() => true)),
    );
    expect(
      new Set(answers.map((each) => `${each.status} ${(each.body as { status?: string }).status ?? each.text}`)),
    ).toEqual(new Set(["200 completed"]));
    const { file_counts: counts } = await get<{ file_counts: object }>(`/v1/vector_stores/${store}`);
    expect(counts).toMatchObject({ in_progress: 0, failed: 0 });
    await untilNothingIsSpooled();
  }, 600_000);

  test("twenty senders that stop half-way", async () => {
    const before = await filenames();
    const { hostname, port } = new URL(server.url);
    const stopHalfWay = () =>
      new Promise<void>((resolve, reject) => {
        const socket = createConnection(Number(port), hostname, () => {
          socket.write(
            `POST /v1/vector_stores/${store}/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testKey}\r\n` +
              "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3000000\r\n\r\n" +
              `--x\r\nContent-Disposition: form-data; name="file"; filename="half.txt"\r\n\r\n${"a".repeat(1_500_000)}`,
            () => {
              socket.destroy();
              resolve();
            },
          );
        });
        socket.once("error", reject);
      });
    await Promise.all(Array.from({ length: 20 }, stopHalfWay));
    expect(await filenames()).toEqual(before);
    await untilNothingIsSpooled();
  });

  (measurable ? test : test.skip)("all of this used limited memory", () => {
    // Two threads read at once, each with a heap of at most 768 MB; the worst file here needs a third of that.
    expect(peakMegabytes(server.child.pid)).toBeLessThan(900);
  });
});
