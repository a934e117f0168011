import { describe, expect, test } from "@jest/globals";
import type { Block } from "../../src/words/document.js";
import { readEml } from "../../src/formats/eml.js";
import { makeMail } from "./makeMail.js";
import { withFile } from "./readBytes.js";

const head = [
  "From: Ann <ann@example.com>",
  "To: b@example.com",
  "Subject: News",
  "Date: Mon, 2 Nov 2026 10:00:00 +0100",
];

/** The blocks of an email, and the documents inside it. */
function read(mail: string | Buffer): Promise<{ blocks: Block[]; inner: [string, string][] }> {
  const bytes = Buffer.from(mail as string);
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const inner: [string, string][] = [];
    const options = {
      describeImage: () => Promise.reject(new Error("There is no model.")),
      pdfVision: false,
      depth: 0,
      async *readInner(content: Uint8Array, name: string): AsyncGenerator<Block> {
        inner.push([name, Buffer.from(content).toString()]);
        yield await Promise.resolve({ kind: "text", text: `<${name}>`, place: { attachment: name } });
      },
    };
    for await (const block of readEml({ path, size: bytes.length, name: "a.eml" }, options)) blocks.push(block);
    return { blocks, inner };
  });
}

const textsOf = async (mail: string) => (await read(mail)).blocks.map(({ text }) => text);

const plain = (text: string, more = "") => `Content-Type: text/plain; charset=utf-8\r\n${more}\r\n${text}\r\n`;
const html = (text: string) => `Content-Type: text/html; charset=utf-8\r\n\r\n${text}\r\n`;
const attached = (name: string, type: string, content: string, more = "") =>
  `Content-Type: ${type}; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\n${more}\r\n${content}\r\n`;

describe("a mail", () => {
  test("begins with its subject as a heading, and its header", async () => {
    const { blocks } = await read(
      [...head, "Cc: C <c@example.com>, d@example.com", "", "Hello", "you.", "", "Bye."].join("\r\n"),
    );
    expect(blocks).toEqual([
      { kind: "heading", level: 1, text: "News", place: {} },
      {
        kind: "text",
        text:
          'From: "Ann" <ann@example.com>\nTo: b@example.com\nCc: "C" <c@example.com>, d@example.com\n' +
          "Date: Mon, 2 Nov 2026 10:00:00 +0100",
        place: {},
      },
      { kind: "text", text: "Hello\nyou.", place: {} },
      { kind: "text", text: "Bye.", place: {} },
    ]);
  });

  test("keeps an unreadable date", async () => {
    expect(await textsOf("From: a@example.com\r\nDate: someday\r\n\r\nHi")).toContain(
      "From: a@example.com\nDate: someday",
    );
  });

  test("with encoded words, another charset and soft line breaks", async () => {
    const subject = `Subject: =?utf-8?B?${Buffer.from("Grüße ☸").toString("base64")}?=`;
    const part =
      "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=E9 soft=\r\n wrap";
    expect(await textsOf(["From: a@example.com", subject, part].join("\r\n"))).toEqual([
      "Grüße ☸",
      "From: a@example.com",
      "Café soft wrap",
    ]);
  });

  test("with its text in two forms is read once", async () => {
    expect(
      (await textsOf(makeMail(head, [plain("The text."), html("<p>The page.</p>")], "alternative"))).slice(2),
    ).toEqual(["The text."]);
  });

  test("with HTML only is read as HTML", async () => {
    expect((await textsOf([...head, html("<h2>Big</h2><p>The <b>page</b>.</p>")].join("\r\n"))).slice(2)).toEqual([
      "Big",
      "The page.",
    ]);
  });

  test("can have texts of both kinds in sequence", async () => {
    expect((await textsOf(makeMail(head, [plain("The text."), html("<p>The page.</p>")]))).slice(2)).toEqual([
      "The text.",
      "The page.",
    ]);
  });
});

describe("attachments", () => {
  test("are named in the header and read by their format", async () => {
    const csv = attached(
      "figures.csv",
      "text/csv",
      Buffer.from("a,b").toString("base64"),
      "Content-Transfer-Encoding: base64\r\n",
    );
    const { blocks, inner } = await read(makeMail(head, [plain("See below."), csv]));
    expect(blocks[1]?.text).toMatch(/\nAttachments: figures\.csv$/);
    expect(blocks.slice(2)).toEqual([
      { kind: "text", text: "See below.", place: {} },
      { kind: "text", text: "<figures.csv>", place: { attachment: "figures.csv" } },
    ]);
    expect(inner).toEqual([["figures.csv", "a,b"]]);
  });

  test("that are mails, even inside the text, are named as mails", async () => {
    const within = `Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n${head.join("\r\n")}\r\n\r\nInner`;
    const forwarded = attached("Fwd", "message/rfc822", `${head.join("\r\n")}\r\n\r\nOther`);
    const { inner } = await read(makeMail(head, [plain("Outer"), within, forwarded]));
    expect(inner.map(([name]) => name)).toEqual(["attachment 1.eml", "Fwd.eml"]);
    expect(inner[0]?.[1]).toContain("Inner");
  });

  test("with calendars are read as text", async () => {
    const { inner } = await read(
      makeMail(head, [plain("Come!"), "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"]),
    );
    expect(inner[0]?.[0]).toBe("attachment 1.ics");
  });

  test("that are logos and signatures are left out", async () => {
    const image = (bytes: number) =>
      "Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      Buffer.alloc(bytes).toString("base64");
    const page = makeMail(
      [],
      [html('<p>Hi <img src="cid:logo"></p>'), image(9_000), image(11_000)],
      "related",
    ).trimStart();
    const { blocks, inner } = await read(
      makeMail(head, [page, attached("smime.p7s", "application/pkcs7-signature", "x")]),
    );
    expect(inner.map(([name]) => name)).toEqual(["attachment 1"]);
    expect(blocks.at(-2)?.text).toBe("Hi");
  });
});

describe("is refused", () => {
  test("a file without a mail header", async () => {
    await expect(read("Just a text.\n\nWith: no head")).rejects.toMatchObject({
      code: "invalid_file",
      message: "The file is not an email: its header has no sender, date or subject.",
    });
  });

  test("a mail with more than a thousand nested parts", async () => {
    let mail = plain("innermost");
    for (let depth = 0; depth < 1_100; depth += 1) {
      mail = `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n${mail}\r\n--b${depth}--\r\n`;
    }
    await expect(read(`${head.join("\r\n")}\r\n${mail}`)).rejects.toMatchObject({
      code: "invalid_file",
      message: "The email has too many parts, or too long a header.",
    });
  });
});

test("texts contain no characters that databases cannot store", async () => {
  const texts = await textsOf("From: a@example.com\r\nSubject: A\u0000B\r\n\r\nC\u0000D");
  expect(texts).toEqual(["AB", "From: a@example.com", "CD"]);
});
