import { describe, expect, test } from "@jest/globals";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import type { Block } from "../../src/words/document.js";
import type { ReadOptions } from "../../src/formats/format.js";
import { readPdf } from "../../src/formats/pdf.js";
import { pdf, stream } from "./amplifyParts.js";
import { withFile } from "./readBytes.js";

/** A PDF with these content streams. @param font what /F1 refers to */
function makePdf(
  pages: readonly (string | Buffer)[],
  options: { font?: string; trailer?: string; rotate?: number } = {},
): Buffer {
  const { font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", trailer = "", rotate = 0 } = options;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(" ")}] >>`,
    font,
    ...pages.flatMap((content, i) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate ${rotate} /Contents ${5 + 2 * i} 0 R ` +
        "/Resources << /Font << /F1 3 0 R >> >> >>",
      `<< /Length ${content.length} >>\nstream\n${content.toString("latin1")}\nendstream`,
    ]),
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const xref = text.length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`;
  text += `trailer\n<< /Root 1 0 R /Size ${objects.length + 1} ${trailer} >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(text, "latin1");
}

const show = (text: string, x: number, y: number, size = 12) => `BT /F1 ${size} Tf ${x} ${y} Td (${text}) Tj ET\n`;

function read(bytes: Buffer, options: Partial<ReadOptions> = {}, size = bytes.length): Promise<Block[]> {
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const all: ReadOptions = {
      describeImage: () => Promise.reject(new Error("There is no model.")),
      pdfVision: false,
      depth: 0,
      readInner: () => {
        throw new Error("There is nothing within a PDF.");
      },
      ...options,
    };
    for await (const block of readPdf({ path, size, name: "a.pdf" }, all)) blocks.push(block);
    return blocks;
  });
}

describe("text", () => {
  test("is read page by page, larger lines as headings", async () => {
    const first = show("Report", 50, 700, 24) + show("The text of the first", 50, 650) + show("page goes on.", 50, 636);
    const blocks = await read(makePdf([first, show("Second page \\(2\\).", 50, 700)]));
    expect(blocks).toEqual([
      { kind: "heading", level: 1, text: "Report", place: { page: 1 } },
      { kind: "text", text: "The text of the first page goes on.", place: { page: 1 } },
      { kind: "text", text: "Second page (2).", place: { page: 2 } },
    ]);
  });

  test("is read on rotated pages, and rotated text beside upright text", async () => {
    const content = show("Upright text", 50, 700) + "BT /F1 12 Tf 0 1 -1 0 20 300 Tm (On the side) Tj ET\n";
    expect((await read(makePdf([content]))).map(({ text }) => text)).toEqual(["Upright text", "On the side"]);
    const turned = await read(makePdf([show("One line", 50, 700) + show("and the next", 50, 686)], { rotate: 90 }));
    expect(turned.map(({ text }) => text)).toEqual(["One line and the next"]);
  });

  test("is read in a font that names a Japanese encoding without embedding it", async () => {
    const font =
      "<< /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /90ms-RKSJ-H /DescendantFonts [<< /Type /Font " +
      "/Subtype /CIDFontType0 /BaseFont /Ryumin-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> " +
      "/FontDescriptor << /Type /FontDescriptor /FontName /Ryumin-Light /Flags 4 >> >>] >>";
    const content = "BT /F1 12 Tf 50 700 Td <82a082a282a4> Tj ET";
    expect((await read(makePdf([content], { font }))).map(({ text }) => text)).toEqual(["あいう"]);
  });

  test("is found despite a broken cross-reference table", async () => {
    const bytes = Buffer.from(
      makePdf([show("Still here", 50, 700)])
        .toString("latin1")
        .replace(/startxref\n\d+/, "startxref\n7"),
      "latin1",
    );
    expect((await read(bytes)).map(({ text }) => text)).toEqual(["Still here"]);
  });

  test("is read from pages that together unpack to more than one may", async () => {
    const bytes = pdf(12, `%${"a".repeat(6_000_000)}\n${show("Text", 50, 700)}`, "/Font <</F1 3 0 R>>", [
      stream("", ""),
    ]);
    expect(await read(bytes)).toEqual(
      Array.from({ length: 12 }, (_, i) => ({ kind: "text", text: "Text", place: { page: i + 1 } })),
    );
  });

  test("of intact pages is kept if others are broken", async () => {
    const bytes = makePdf([show("First", 50, 700), show("Second", 50, 700)]);
    const broken = Buffer.from(
      bytes.toString("latin1").replace("4 0 obj\n<< /Type /Page", "4 0 obj\n<< /Type /Nope"),
      "latin1",
    );
    expect((await read(broken)).map(({ text }) => text)).toContain("Second");
  });
});

describe("is refused", () => {
  const refusal = (bytes: Buffer, size?: number) => expect(read(bytes, {}, size)).rejects;

  test("with a password", async () => {
    const encryption = `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${"41".repeat(32)}> /U <${"42".repeat(32)}> >>`;
    const bytes = makePdf([show("Secret", 50, 700)], { trailer: `/Encrypt ${encryption} /ID [<41> <41>]` });
    await refusal(bytes).toMatchObject({
      code: "invalid_file",
      message: "The PDF is protected with a password. Save it without one.",
    });
  });

  test("if it is damaged", async () => {
    await refusal(Buffer.from(`%PDF-1.7\n${"nothing of use\n".repeat(100)}`)).toMatchObject({
      code: "invalid_file",
      message: expect.stringContaining("damaged") as unknown,
    });
  });

  test("if it exceeds the memory limit", async () => {
    await refusal(makePdf([""]), 300 * 2 ** 20).toMatchObject({
      message: expect.stringContaining("256 MB") as unknown,
    });
  });

  test("if it has too many pages, or a page has too many texts", async () => {
    await refusal(makePdf(new Array<string>(5_001).fill(""))).toMatchObject({
      message: "The PDF has more than 5,000 pages. Split it into several.",
    });
    const row = Array.from({ length: 1_000 }, (_, i) => show("a", (i % 2) * 300, 799 - (i % 700), 1)).join("");
    const bytes = makePdf([row.repeat(110)]);
    await refusal(bytes).toMatchObject({ message: expect.stringContaining("100,000 pieces of text") as unknown });
  });

  test("if a page unpacks too far, or has a text that is too long", async () => {
    const unfolded = (length: number) => pdf(1, `%${"a".repeat(length)}\n`, "", [stream("", "")]);
    await refusal(unfolded(40_000_000)).toMatchObject({
      code: "invalid_file",
      message:
        "The PDF is too large inside: it has a page that takes more than 33,554,432 bytes unpacked. " +
        "Save it in a simpler form.",
    });
    await refusal(makePdf([show("a".repeat(1_000_001), 50, 700)])).toMatchObject({
      message: expect.stringContaining("more than 1,000,000 elements") as unknown,
    });
  });

  test("without text, unless a model may read its pages", async () => {
    await refusal(makePdf(["", "0 0 100 100 re f"])).toMatchObject({
      code: "invalid_file",
      message: expect.stringMatching(/has no text.*PDF_VISION=auto.*VISION_MODEL/) as unknown,
    });
  });
});

describe("pages without text", () => {
  // A black square; a page with text; an empty page.
  const bytes = makePdf(["100 100 300 300 re f", show("Text", 50, 700), ""]);

  test("are sent to the model, except empty ones", async () => {
    const pictures: { width?: number; height?: number; format?: string }[] = [];
    const blocks = await read(bytes, {
      pdfVision: true,
      describeImage: async (image, mediaType) => {
        expect(mediaType).toBe("image/png");
        pictures.push(await sharp(image).metadata());
        return "A square.\n\nIt is black.";
      },
    });
    expect(pictures).toMatchObject([{ width: 1_536, height: 2_048, format: "png" }]);
    expect(blocks).toEqual([
      { kind: "text", text: "A square.", place: { page: 1 } },
      { kind: "text", text: "It is black.", place: { page: 1 } },
      { kind: "text", text: "Text", place: { page: 2 } },
    ]);
  });

  test("an error of the model call is passed on", async () => {
    const error = new Error("The model is away.");
    const reading = read(bytes, { pdfVision: true, describeImage: () => Promise.reject(error) });
    await expect(reading).rejects.toBe(error);
  });
});

test("a compressed content stream is read", async () => {
  const packed = deflateSync(show("Packed text", 50, 700)).toString("latin1");
  const bytes = makePdf([Buffer.from(packed, "latin1")])
    .toString("latin1")
    .replace(/<< \/Length/, "<< /Filter /FlateDecode /Length");
  expect((await read(Buffer.from(bytes, "latin1"))).map(({ text }) => text)).toEqual(["Packed text"]);
});
