import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  rowOf,
  rowsInTable,
  rowsOf,
  storedRows,
} from "../../support/stores.js";
import { type Line, openUpload, upload } from "../../support/upload.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const linesOf = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`);
const send = (storeId: string, chunks: Iterable<Buffer | string>) => upload(service.url, batchPath(storeId), chunks);
const contents = async (storeId: string) => (await storedRows(service, storeId)).map((row) => row.content);
const result = (count: number, duplicates = 0): Line => ({
  object: "embedding.batch",
  count,
  duplicates,
  created: expect.any(Number) as unknown as number,
});
const progress = (...counts: number[]): Line[] =>
  counts.map((count) => ({ object: "embedding.batch.progress", count, duplicates: 0 }));

describe("a stream of rows", () => {
  test("5,000 rows: one line per commit, and the result in the last line", async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(5000);
    const { status, lines } = await send(storeId, linesOf(rows));
    expect(status).toBe(200);
    const counts = Array.from({ length: 10 }, (_, i) => (i + 1) * 500);
    expect(lines).toEqual([...progress(...counts), result(5000)]);
    const stored = await storedRows(service, storeId);
    expect(stored).toMatchObject(rows);
    expect(await countsOf(service, storeId)).toEqual({ rows: 5000, bytes: bytesOf(rows) });
  });

  test("counts arrive during the upload, and the counted rows are stored", async () => {
    const storeId = await createStore(service);
    const open = openUpload(service.url, batchPath(storeId));
    for (const line of linesOf(rowsOf(700))) await open.write(line);
    await open.received(1);
    expect(await rowsInTable(service, storeId)).toBe(500);
    open.end();
    expect(await open.lines).toEqual([...progress(500, 700), result(700)]);
  });

  test("rows with much metadata are committed in smaller portions, to hold only some megabytes", async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(30, () => ({ metadata: { text: "x".repeat(1_000_000) } }));
    const { lines } = await send(storeId, linesOf(rows));
    expect(lines.at(-1)).toEqual(result(30));
    expect(lines[0]?.count).toBeLessThan(10);
  });

  test("rows without embeddings are embedded here", async () => {
    const storeId = await createStore(service);
    const { lines } = await send(storeId, linesOf([{ content: "alpha beta" }, rowOf(2)]));
    expect(lines.at(-1)).toEqual(result(2));
    const answer = await service.post(`/v1/vector_stores/${storeId}/search`, { query: "alpha beta" }).expect(200);
    expect(answer.body).toMatchObject({ data: [{ content: [{ text: "alpha beta" }] }, {}] });
  });
});

describe("what a line may contain", () => {
  test("blank lines, CRLF, a byte order mark and a last line without a line end", async () => {
    const storeId = await createStore(service);
    const [one, two, three] = rowsOf(3).map((row) => JSON.stringify(row));
    const { lines } = await send(storeId, [`\uFEFF${one ?? ""}\r\n\r\n\n  \n${two ?? ""}\r\n`, three ?? ""]);
    expect(lines.at(-1)).toEqual(result(3));
    expect(await contents(storeId)).toEqual(["row 1", "row 2", "row 3"]);
  });

  test("characters split by the network", async () => {
    const storeId = await createStore(service);
    const content = "é😀\u{10FFFF} “x”";
    const bytes = Buffer.from(linesOf([rowOf(1, { content }), rowOf(2, { content: `2${content}` })]).join(""));
    const { lines } = await send(
      storeId,
      Array.from(bytes, (byte) => Buffer.of(byte)),
    );
    expect(lines.at(-1)).toEqual(result(2));
    expect(await contents(storeId)).toEqual([content, `2${content}`]);
  });

  test("many rows in one network chunk, cut anywhere", async () => {
    const storeId = await createStore(service);
    const rows = rowsOf(600);
    const text = linesOf(rows).join("");
    const cuts = [0, 1, 7000, 7001, 20_000, text.length];
    const pieces = cuts.slice(1).map((end, i) => text.slice(cuts[i], end));
    expect((await send(storeId, pieces)).lines.at(-1)).toEqual(result(600));
    expect(await contents(storeId)).toEqual(rows.map((row) => row.content));
  });

  test.each<[string, string[]]>([
    ["nothing", []],
    ["blank lines only", ["\n", " \r\n\n"]],
  ])("a body of %s is refused", async (_, chunks) => {
    const storeId = await createStore(service);
    const { status, lines } = await send(storeId, chunks);
    expect(status).toBe(400);
    expect(lines[0]?.error).toMatchObject({ code: "invalid_json", message: expect.stringContaining("empty") });
  });
});

describe("a bad line", () => {
  const bad: [string, Buffer | string, number, string][] = [
    [
      "wrong dimensions",
      JSON.stringify(rowOf(1, { embedding: [1] })),
      400,
      "line 1234.embedding: expected 8 numbers, got 1",
    ],
    ["no JSON", "{nonsense", 400, "line 1234: "],
    ["no object", "[]", 400, "line 1234: "],
    ["NaN", '{"content": "x", "embedding": [NaN]}', 400, "line 1234.embedding[0]: "],
    ["a NUL", '{"content": "x\\u0000"}', 400, "line 1234.content: "],
    ["broken UTF-8", Buffer.of(0x22, 0xff, 0x22), 400, "line 1234: is not valid UTF-8"],
    ["a conflict", JSON.stringify(rowOf(1, { id: "taken" })), 409, "line 1234.id: exists already"],
  ];

  const storeWithRow = async () => {
    const storeId = await createStore(service);
    await service.post(batchPath(storeId), { embeddings: [rowOf(1, { id: "taken", content: "other" })] }).expect(200);
    return storeId;
  };

  test.each(bad)(
    "%s at line 1,234 is named; exactly the counted rows are stored",
    async (_, line, _status, message) => {
      const storeId = await storeWithRow();
      const rows = linesOf(rowsOf(5000));
      const answer = await send(storeId, [...rows.slice(0, 1233), line, "\n", ...rows.slice(1234)]);
      expect(answer.status).toBe(200);
      expect(answer.lines.slice(0, -1)).toEqual(progress(500, 1000));
      const last = answer.lines.at(-1);
      expect(last).toMatchObject({ count: 1000, duplicates: 0 });
      expect(last?.error?.message.startsWith(message)).toBe(true);
      expect(await rowsInTable(service, storeId)).toBe(1 + 1000);
      expect((await countsOf(service, storeId)).rows).toBe(1 + 1000);
    },
  );

  test.each(bad)(
    "%s before the first commit has its own status and OpenAI's error shape",
    async (_, line, status, message) => {
      const storeId = await storeWithRow();
      const answer = await send(storeId, ["\n".repeat(1230), ...linesOf(rowsOf(3)), line, "\n", ...linesOf(rowsOf(3))]);
      expect(answer.status).toBe(status);
      expect(Object.keys(answer.lines[0] ?? {})).toEqual(["error"]);
      const error = answer.lines[0]?.error;
      expect(Object.keys(error ?? {}).sort()).toEqual(["code", "message", "param", "type"]);
      expect(error?.message.startsWith(message)).toBe(true);
      expect(await rowsInTable(service, storeId)).toBe(1);
    },
  );

  test("a line that is too long is 413 with its number, before it ends", async () => {
    const storeId = await createStore(service);
    const open = openUpload(service.url, batchPath(storeId));
    await open.write(linesOf([rowOf(1)])[0] ?? "");
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 70 && !open.over(); i += 1) await open.write(megabyte);
    open.end();
    expect(await open.status).toBe(413);
    expect((await open.lines)[0]?.error).toMatchObject({
      message: "line 2 is longer than 64 MB.",
      param: "line 2",
      code: "request_too_large",
    });
    expect(await rowsInTable(service, storeId)).toBe(0);
  });

  test("an unknown or expired store is refused at once, while the sender waits", async () => {
    const missing = openUpload(service.url, batchPath("vs_00000000000000000000000000000000"));
    await missing.write(linesOf([rowOf(1)])[0] ?? "");
    expect(await missing.status).toBe(404);
    missing.leave();
  });
});
