import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { boundary, end, field, file, fileHead, memoryKeeper, part, startFormServer } from "./formServer.js";

const allowed = { fileBytes: 1000, files: 2 };
const { keeper, counts } = memoryKeeper();
let server: Awaited<ReturnType<typeof startFormServer>>;
beforeAll(async () => {
  server = await startFormServer(allowed, keeper);
});
afterAll(() => server.close());

const latin1 = (text: string) => Buffer.from(text, "latin1");
const octets = "Content-Type: application/octet-stream";

describe("fields and files", () => {
  test("files come in their order, fields by name", async () => {
    const files = file("x.txt", "first") + field("b", "") + file("y.txt", "");
    const { status, body } = await server.send([field("a", "1") + files + field("ž", "漢字") + end]);
    expect(status).toBe(200);
    expect(body.fields).toEqual([
      ["a", "1"],
      ["b", ""],
      ["ž", "漢字"],
    ]);
    expect(body.files).toEqual([
      { field: "file", filename: "x.txt", text: "first" },
      { field: "file", filename: "y.txt", text: "" },
    ]);
  });

  test("brackets are part of the name", async () => {
    const names = ["a", "expires_after[anchor]", "a[b]", "a[]", "a[0][c]", "a[100]", "x[y][z][y][z][y][z]"];
    const { status, body } = await server.send([names.map((name) => field(name, name)).join("") + end]);
    expect(status).toBe(200);
    expect(body.fields).toEqual(names.map((name) => [name, name]));
  });

  test("names of built-in properties are ordinary names", async () => {
    const names = ["__proto__", "__proto__[x]", "constructor[prototype][y]", "toString", "hasOwnProperty"];
    const { status, body } = await server.send([names.map((name) => field(name, "1")).join("") + end]);
    expect(status).toBe(200);
    expect(body.fields).toEqual(names.map((name) => [name, "1"]));
    expect(({} as { x?: string; y?: string }).x ?? ({} as { y?: string }).y).toBeUndefined();
  });

  test("a part with a Content-Type but without a filename is a field", async () => {
    const { body } = await server.send([
      part('Content-Disposition: form-data; name="a"\r\nContent-Type: application/json', "{}") + end,
    ]);
    expect(body).toEqual({ fields: [["a", "{}"]], files: [] });
  });

  test("a field may be in another character set", async () => {
    const type = "Content-Type: text/plain; charset=iso-8859-1";
    const { body } = await server.send([
      latin1(part(`Content-Disposition: form-data; name="a"\r\n${type}`, "é") + end),
    ]);
    expect(body.fields).toEqual([["a", "é"]]);
  });

  test.each([
    ["UTF-8", 'filename="žluť 漢字.txt"', "žluť 漢字.txt"],
    ["an encoded name, which counts more", `filename="x.txt"; filename*=UTF-8''%e2%82%ac%20rates.txt`, "€ rates.txt"],
    ["a path", 'filename="../../etc/passwd"', "passwd"],
    ["a Windows path", 'filename="C:\\\\dir\\\\x.txt"', "x.txt"],
    ["the directory above", 'filename=".."', "file"],
    ["a directory", 'filename="a/"', "file"],
    ["the directory above, hidden by a control character", `filename*=UTF-8''.%00.`, "file"],
    ["an encoded path", `filename*=UTF-8''..%2f..%2Fetc%5Cpasswd`, "passwd"],
    ["blanks", 'filename="  "', "file"],
    ["quotes escaped as curl does", 'filename="a\\"b.txt"', 'a"b.txt'],
    ["quotes escaped as browsers do", 'filename="a%22b 50%.txt"', 'a"b 50%.txt'],
    ["control characters, encoded", `filename*=UTF-8''a%00b%0A%7F.txt`, "ab.txt"],
    ["line ends, escaped as browsers do", 'filename="a%0D%0Ab.txt"', "ab.txt"],
    ["300 characters", `filename="${"x".repeat(300)}.txt"`, `${"x".repeat(251)}.txt`],
    ["no name, but bytes", `\r\n${octets}`, "file"],
    ["an empty name, but bytes", `filename=""\r\n${octets}`, "file"],
  ])("a filename: %s", async (_, given, filename) => {
    const separator = given.startsWith("\r\n") ? "" : "; ";
    const { body } = await server.send([
      part(`Content-Disposition: form-data; name="file"${separator}${given}`, "abc") + end,
    ]);
    expect(body.files).toEqual([{ field: "file", filename, text: "abc" }]);
  });

  const value = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 50 }).map((text) => text.replaceAll("\0", "")),
    // Text that looks like the boundary.
    fc
      .array(fc.constantFrom("\r", "\n", "\r\n", "-", "--", "a", `--${boundary}`.slice(0, 2)), { maxLength: 20 })
      .map((parts) => parts.join("")),
  );
  test("forms arrive complete, wherever they are split", async () => {
    const form = fc.record({
      fields: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/), value), {
        selector: ([name]) => name,
        maxLength: 5,
      }),
      files: fc.array(value, { maxLength: 2 }),
      cuts: fc.array(fc.nat(1000), { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(form, async ({ fields, files, cuts }) => {
        const text =
          fields.map(([name, text]) => field(name, text)).join("") +
          files.map((text, i) => file(`${i}.txt`, text)).join("") +
          end;
        const bytes = Buffer.from(text);
        const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        const { body } = await server.send(places.slice(1).map((to, i) => bytes.subarray(places[i], to)));
        expect(body).toEqual({
          fields,
          files: files.map((text, i) => ({ field: "file", filename: `${i}.txt`, text })),
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("refused forms", () => {
  const nul = part('Content-Disposition: form-data; name="a"', "1\0");
  const strange = part('Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=strange', "1");
  const long = "n".repeat(201);
  const unreadable = "The form cannot be read: its parts are not as its Content-Type says.";
  test.each([
    ["a byte too many", file("x", "x".repeat(1001)) + end, 413, "file", "The file is larger than 0 MB (MAX_FILE_MB)."],
    [
      "a second file that is far too large",
      file("x", "x") + file("y", "y".repeat(50_000)) + end,
      413,
      "file",
      "The file is larger than 0 MB (MAX_FILE_MB).",
    ],
    [
      "a file too many",
      file("x", "x") + file("y", "y") + file("z", "z") + end,
      400,
      null,
      "The form has more than 2 files; send them in several requests.",
    ],
    [
      "a field too many",
      Array.from({ length: 101 }, (_, i) => field(`a${i}`, "")).join("") + end,
      400,
      null,
      "The form has more than 100 fields.",
    ],
    ["a field with a byte too many", field("a", "x".repeat(2 ** 20 + 1)) + end, 400, "a", "a: longer than is allowed"],
    [
      "a name that is too long",
      field(long, "1") + end,
      400,
      long.slice(0, 64),
      `${long.slice(0, 64)}: longer than is allowed`,
    ],
    [
      "a name nested 11 times",
      field(`a${"[b]".repeat(11)}`, "1") + end,
      400,
      `a${"[b]".repeat(11)}`,
      `a${"[b]".repeat(11)}: nested too deeply, or numbered too high`,
    ],
    ["a large index", field("a[101]", "1") + end, 400, "a[101]", "a[101]: nested too deeply, or numbered too high"],
    ["U+0000 in a field", nul + end, 400, "a", "a: must not contain the character U+0000"],
    ["an unknown character set", strange + end, 400, "a", "a: is in an unknown character set"],
    [
      "a header that is too long",
      part(`Content-Disposition: form-data; name="a"\r\nX: ${"y".repeat(17_000)}`, "1") + end,
      400,
      null,
      unreadable,
    ],
    [
      "a header without a colon",
      file("x", "x") + part("Content-Disposition form-data", "1") + end,
      400,
      null,
      unreadable,
    ],
    ["a field without a name", part("Content-Disposition: form-data", "1") + end, 400, null, unreadable],
    [
      "a file without a field name",
      part('Content-Disposition: form-data; filename="x"', "1") + end,
      400,
      null,
      unreadable,
    ],
    [
      "a part with an unreadable Content-Disposition, which the parser silently skips",
      file("x", "x") + part('Content-Disposition: form-data; name="file"; filename=a/b.txt', "1") + end,
      400,
      null,
      unreadable,
    ],
    [
      "a part without a Content-Disposition",
      part("Content-Type: text/plain", "1") + field("a", "1") + end,
      400,
      null,
      unreadable,
    ],
    ["a part of another kind", part("Content-Disposition: attachment; name=a", "1") + end, 400, null, unreadable],
    ["U+0000 in a header", file("a\0b.txt", "1") + end, 400, null, unreadable],
    ["a body that is not a form", "hello", 400, null, unreadable],
    ["Unix line ends", (field("a", "1") + end).replaceAll("\r\n", "\n"), 400, null, unreadable],
    ["nothing", "", 400, null, unreadable],
  ])("%s", async (_, text, status, param, message) => {
    const before = { ...counts };
    const answer = await server.send([text]);
    expect(answer).toMatchObject({ status, body: { error: { param, message } } });
    expect(counts.dropped - before.dropped).toBe(counts.kept - before.kept);
  });

  test("but not a form exactly at the limits", async () => {
    const fields = Array.from({ length: 99 }, (_, i) => field(`a${i}`, "")).join("");
    const { status, body } = await server.send([
      fields +
        field("n".repeat(200), "x".repeat(2 ** 20)) +
        file("x", "x".repeat(1000)) +
        file("y", "y".repeat(1000)) +
        end,
    ]);
    expect(status).toBe(200);
    expect(body.fields).toHaveLength(100);
    expect(body.files?.map(({ text }) => text.length)).toEqual([1000, 1000]);
  });

  test("a form that breaks off anywhere", async () => {
    const whole = field("a", "1") + file("x.txt", "abc") + field("b", "2") + `--${boundary}--`;
    for (let length = 0; length < whole.length; length += 1) {
      const before = { ...counts };
      const answer = await server.send([whole.slice(0, length)]);
      expect(answer).toMatchObject({ status: 400, body: { error: { param: null, code: "invalid_multipart" } } });
      expect(counts.dropped - before.dropped).toBe(counts.kept - before.kept);
    }
    expect(await server.send([whole])).toMatchObject({ status: 200 });
  });

  test.each([
    ["application/json", 415, "unsupported_media_type"],
    ["multipart/mixed; boundary=b", 415, "unsupported_media_type"],
    ["multipart/form-data", 415, "unsupported_media_type"],
    ["multipart/form-data; charset=utf-8", 400, "invalid_multipart"],
    ["multipart/form-data; boundary=", 400, "invalid_multipart"],
    ['multipart/form-data; boundary=""', 400, "invalid_multipart"],
    ["multipart/form-data; x y; boundary=b", 400, "invalid_multipart"],
  ])("Content-Type: %s", async (type, status, code) => {
    const answer = await server.send([field("a", "1") + end], { "content-type": type });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  test.each(['multipart/form-data; boundary="b"', "Multipart/Form-Data ; charset=utf-8; Boundary=b"])(
    "not Content-Type: %s",
    async (type) => {
      const answer = await server.send([field("a", "1") + end], { "content-type": type });
      expect(answer).toEqual({ status: 200, body: { fields: [["a", "1"]], files: [] } });
    },
  );

  test("a request without a body", async () => {
    const { socket, answer } = await server.open({});
    expect(await answer).toMatchObject({ status: 400, body: { error: { code: "invalid_multipart" } } });
    socket.destroy();
  });

  test("a Content-Length above that of any allowed form, before the body is read", async () => {
    const { socket, answer } = await server.open({ "content-length": String(11 * 1024 * 1024) });
    socket.write(fileHead("x.txt"));
    const before = counts.started;
    expect(await answer).toMatchObject({
      status: 413,
      body: { error: { message: "The body is larger than 2 file(s) of 0 MB may be." } },
    });
    expect(counts.started).toBe(before);
    socket.destroy();
  });
});
