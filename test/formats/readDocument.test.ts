import { describe, expect, test } from "@jest/globals";
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import sharp from "sharp";
import { type Block, DocumentError } from "../../src/words/document.js";
import { readDocument } from "../../src/formats/readDocument.js";
import { makeCompoundFile, makeMail } from "./makeMail.js";
import { makeZip } from "./makeZip.js";
import { withFile } from "./readBytes.js";

interface Options {
  describeImage?: () => Promise<string>;
  /** Stop after this many blocks. */
  most?: number;
}

/** The blocks of a document; checks that no file is left beside it. */
function read(
  content: string | Buffer,
  name: string,
  { describeImage, most = Infinity }: Options = {},
): Promise<Block[]> {
  const bytes = Buffer.from(content as string);
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const options = { describeImage: describeImage ?? (() => Promise.resolve("picture")), pdfVision: false };
    try {
      for await (const block of readDocument({ path, size: bytes.length, name }, options)) {
        blocks.push(block);
        if (blocks.length >= most) break;
      }
      return blocks;
    } finally {
      expect(readdirSync(dirname(path))).toEqual(["document"]);
      expect(existsSync(path)).toBe(true);
    }
  });
}

const head = ["From: a@example.com", "Subject: Mail"];
const attached = (name: string, content: string | Buffer) =>
  `Content-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\n` +
  `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(content as string).toString("base64")}\r\n`;

describe("reads", () => {
  test("a text, and a picture with a text's name", async () => {
    expect((await read("Hello", "a.txt")).map(({ text }) => text)).toEqual(["Hello"]);
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    expect((await read(png, "a.txt")).map(({ text }) => text)).toEqual(["picture"]);
  });

  test("embedded documents, with the names of their containers", async () => {
    const inner = makeMail(head, ["\r\nInner text", attached("b.txt", "Innermost")]);
    const blocks = await read(makeMail(head, ["\r\nOuter text", attached("a.eml", inner)]), "mail.eml");
    const placed = blocks.filter(({ text }) => /^(Outer|Inner)/.test(text)).map(({ text, place }) => [text, place]);
    expect(placed).toEqual([
      ["Outer text", {}],
      ["Inner text", { attachment: "a.eml" }],
      ["Innermost", { attachment: "a.eml > b.txt" }],
    ]);
    // An attachment is always separated from the preceding email, whatever its reader returns.
    expect(blocks.find(({ text }) => text === "Innermost")?.before).toBe("\n\n");
  });

  test("past an unreadable attachment", async () => {
    const blocks = await read(
      makeMail(head, [attached("a.pdf", "no PDF"), attached("a.zip", makeZip({ a: "" })), attached("b.txt", "Text")]),
      "mail.eml",
    );
    expect(blocks.slice(-3)).toMatchObject([
      {
        kind: "text",
        text: 'Attachment "a.pdf": The file is called .pdf but is not a PDF document.',
        place: { attachment: "a.pdf" },
      },
      // Without the list of readable formats.
      { text: 'Attachment "a.zip": The file is an archive (zip). Send the documents in it one by one.' },
      { text: "Text", place: { attachment: "b.txt" } },
    ]);
  });

  test("only as far as requested", async () => {
    const mail = makeMail(head, [attached("a.txt", "One"), attached("b.txt", "Two")]);
    expect((await read(mail, "mail.eml", { most: 3 })).at(-1)?.text).toBe("One");
  });
});

describe("limits", () => {
  test("documents may be nested five deep", async () => {
    let mail = makeMail(head, [attached("deepest.txt", "Too deep")]);
    for (let depth = 0; depth < 5; depth += 1) mail = makeMail(head, [attached("a.eml", mail)]);
    const texts = (await read(mail, "mail.eml")).map(({ text }) => text);
    expect(texts.at(-1)).toBe('Attachment "deepest.txt": It is not read: it is nested more than 5 documents deep.');
  });

  test("only the first 500 documents are read, with one note that there are more", async () => {
    const mail = makeMail(
      head,
      Array.from({ length: 510 }, (_, i) => attached(`${i}.txt`, `Text ${i}`)),
    );
    const texts = (await read(mail, "mail.eml")).map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith("Text"))).toHaveLength(500);
    expect(texts.slice(-2)).toEqual([
      "Text 499",
      expect.stringMatching(/^Attachment "500\.txt": .*exceed the limit of 500 documents/),
    ]);
  });
});

describe("errors", () => {
  test("of a parser on a damaged file say that the file is damaged", async () => {
    // The email's text, as a property of another type.
    const mail = makeCompoundFile({ "__substg1.0_10000102": Buffer.from("x") });
    await expect(read(mail, "a.msg")).rejects.toMatchObject({
      name: "DocumentError",
      code: "invalid_file",
      message: "The file is damaged or not what its name says: it could not be read as an Outlook message.",
      cause: expect.objectContaining({ name: "TypeError" }) as unknown,
    });
  });

  test("of the vision model are passed on, also from embedded documents", async () => {
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    const away = new TypeError("The model is away.");
    const describeImage = () => Promise.reject(away);
    await expect(read(png, "a.png", { describeImage })).rejects.toBe(away);
    await expect(read(makeMail(head, [attached("a.png", png)]), "m.eml", { describeImage })).rejects.toBe(away);
    const refused = new DocumentError("unsupported_file", "There is no model.");
    await expect(read(png, "a.png", { describeImage: () => Promise.reject(refused) })).rejects.toBe(refused);
    const blocks = await read(makeMail(head, [attached("a.png", png)]), "m.eml", {
      describeImage: () => Promise.reject(refused),
    });
    expect(blocks.at(-1)?.text).toBe('Attachment "a.png": There is no model.');
  });

  test("of the disk are the service's", async () => {
    const reading = readDocument(
      { path: "/nowhere/document", size: 1, name: "a.txt" },
      { describeImage: () => Promise.resolve(""), pdfVision: false },
    ).next();
    await expect(reading).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a document without any text is an error", async () => {
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    await expect(read(png, "a.png", { describeImage: () => Promise.resolve(" \n") })).rejects.toMatchObject({
      code: "invalid_file",
      message: "The document has no text.",
    });
  });
});

test("the name of an attachment is cut, because each of its chunks holds it, but its extension decides", async () => {
  const name = `${"n".repeat(1_000)}.html`;
  const [block] = (await read(makeMail(head, [attached(name, Buffer.from("<p>text</p>"))]), "m.eml")).slice(-1);
  expect(block).toMatchObject({ text: "text", place: { attachment: `${"n".repeat(254)}…` } });
});
