import { describe, expect, test } from "@jest/globals";
import { detect } from "../../src/formats/detect.js";
import { makeCompoundFile } from "./makeMail.js";
import { makeZip } from "./makeZip.js";
import { withFile } from "./readBytes.js";

const formatOf = (name: string, content: string | Buffer) => {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content, "latin1");
  return withFile(bytes, (path) => detect({ path, size: bytes.length, name }));
};

const text = "Some text, long enough to be one.\n";
const png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const stream = Buffer.from("content");
/** Neither text nor any known format. */
const junk = Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * i * 31 + i * 7) % 256));

describe("by content, whatever the name", () => {
  test.each([
    ["pdf", "%PDF-1.7\n"],
    ["pdf", `${"\0".repeat(900)}%PDF-1.7\n`],
    ["image", png],
    ["image", "\xff\xd8\xff\xe0\0\x10JFIF"],
    ["image", "GIF89a\x01\0\x01\0"],
    ["image", "RIFF\0\0\0\0WEBPVP8 "],
    ["image", "II*\0\x08\0\0\0"],
    ["image", "MM\0*\0\0\0\x08"],
    ["rtf", "{\\rtf1\\ansi Hello}"],
    ["docx", makeZip({ "[Content_Types].xml": "<Types/>", "word/document.xml": "" })],
    ["pptx", makeZip({ "[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "" })],
    ["spreadsheet", makeZip({ "[Content_Types].xml": "<Types/>", "xl/workbook.xml": "" })],
    ["epub", makeZip([{ name: "mimetype", data: "application/epub+zip", isStored: true }])],
    ["epub", makeZip({ "META-INF/container.xml": "<container/>" })],
    ["openDocument", makeZip([{ name: "mimetype", data: "application/vnd.oasis.opendocument.text", isStored: true }])],
    [
      "spreadsheet",
      makeZip([{ name: "mimetype", data: "application/vnd.oasis.opendocument.spreadsheet", isStored: true }]),
    ],
    ["msg", makeCompoundFile({ "__properties_version1.0": stream })],
    ["spreadsheet", makeCompoundFile({ Workbook: stream })],
  ])("%s", async (format, content) => {
    for (const name of ["a", "a.txt", "a.PDF", "a.docx"]) expect(await formatOf(name, content)).toBe(format);
  });

  test("old formats, by name as well", async () => {
    expect(await formatOf("a.xls", makeCompoundFile({ other: stream }))).toBe("spreadsheet");
    expect(await formatOf("a.msg", makeCompoundFile({ other: stream }))).toBe("msg");
  });
});

describe("text, by name", () => {
  test.each([
    ["text", "a.txt b.log c d.py e.tsx f.yaml g.ini h.unknown i.sql j.doc k.ics"],
    ["markdown", "a.md b.MARKDOWN"],
    ["html", "a.html b.htm c.xhtml"],
    ["csv", "a.csv b.tsv"],
    ["json", "a.json b.jsonl c.ndjson"],
    ["xml", "a.xml b.svg"],
    ["eml", "a.eml b.mht"],
  ])("%s", async (format, names) => {
    for (const name of names.split(" ")) expect(await formatOf(name, text)).toBe(format);
  });

  test("in any encoding", async () => {
    for (const content of ["Привет", "é", '["é"]']) {
      expect(await formatOf("a.txt", Buffer.from(`\ufeff${content}`, "utf16le"))).toBe("text");
      expect(await formatOf("a.txt", Buffer.from(`\ufeff${content}`, "utf16le").swap16())).toBe("text");
    }
    expect(await formatOf("a.txt", Buffer.from("Hello, this is UTF-16", "utf16le"))).toBe("text");
    expect(await formatOf("a.csv", "caf\xe9;M\xfcller\n")).toBe("csv");
  });

  test("that mentions a PDF header stays text", async () => {
    expect(await formatOf("a.md", `${text} A file begins with %PDF-1.7.`)).toBe("markdown");
  });

  test("a web page exported for Excel is a web page", async () => {
    expect(await formatOf("a.xls", "\xef\xbb\xbf<html><table></table></html>")).toBe("html");
    expect(await formatOf("page", "\n<!DOCTYPE html><p>Hi</p>")).toBe("html");
    expect(await formatOf("a.txt", "<html> is a tag")).toBe("text");
  });
});

describe("is refused", () => {
  const refusal = async (name: string, content: string | Buffer, code: string, message: string | RegExp) => {
    await expect(formatOf(name, content)).rejects.toMatchObject({
      code,
      message: typeof message === "string" ? message : (expect.stringMatching(message) as unknown),
    });
  };

  test("an empty file", () => refusal("a.txt", "", "invalid_file", "The file is empty."));

  test("a file that is not what its name says", async () => {
    await refusal("a.pdf", text, "invalid_file", "The file is called .pdf but is not a PDF document.");
    await refusal("a.png", text, "invalid_file", "The file is called .png but is not an image.");
    await refusal("a.pdf", junk, "invalid_file", "The file is called .pdf but is not a PDF document.");
    await refusal("a.docx", makeZip({ "photo.raw": "x" }), "invalid_file", /^The file is called \.docx but/);
  });

  test("a damaged zip", async () => {
    const bytes = makeZip({ "word/document.xml": "x".repeat(1_000) });
    await refusal("a.docx", bytes.subarray(0, bytes.length - 30), "invalid_file", /damaged/);
  });

  test.each([
    ["a.mp3", "ID3\x04\0\0\0\0\0\0\xff\xfb\x90\0", "an audio recording"],
    ["a.mp4", "\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"],
    ["a.exe", `MZ\x90\0\x03\0\0\0${"\0".repeat(100)}`, "a program"],
    ["a.gz", `\x1f\x8b\x08\0\0\0\0\0\0\x03${"\x01\x02\0".repeat(9)}`, "an archive"],
    ["a.heic", "\0\0\0\x18ftypheic\0\0\0\0mif1heic", "an image of an unknown kind"],
  ])("%s", (name, content, what) =>
    refusal(name, content, "unsupported_file", new RegExp(`^The file is ${what}.* reads PDF`)),
  );

  test("an archive, and unknown binary data", async () => {
    await refusal("a.zip", makeZip({ "a.txt": "x" }), "unsupported_file", /^The file is an archive/);
    await refusal(
      "a.bin",
      junk,
      "unsupported_file",
      /^The file is neither text nor a document\. This service reads PDF/,
    );
  });

  test("old Office formats, and encrypted documents", async () => {
    const word = makeCompoundFile({ WordDocument: stream });
    await refusal("a.doc", word, "unsupported_file", /Save it as \.docx\.$/);
    await refusal("a.ppt", makeCompoundFile({ other: stream }), "unsupported_file", /Save it as \.pptx\.$/);
    await refusal("a.docx", makeCompoundFile({ EncryptedPackage: stream }), "invalid_file", /password/);
    await refusal("thumbs.db", makeCompoundFile({ other: stream }), "unsupported_file", /old Office format/);
  });
});
