import { describe, expect, test } from "@jest/globals";
import { DocumentError } from "../../src/words/document.js";
import { readEpub } from "../../src/formats/epub.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const container = `<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>`;

function opf(items: Record<string, string>, spine: string[]): string {
  const manifest = Object.entries(items).map(
    ([id, href]) =>
      `<item id="${id}" href="${href}" media-type="${href.endsWith(".css") ? "text/css" : "application/xhtml+xml"}"/>`,
  );
  return `<package><manifest>${manifest.join("")}</manifest><spine>${spine.map((id) => `<itemref idref="${id}"/>`).join("")}</spine></package>`;
}

function xhtml(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${body}</body></html>`;
}

const book = {
  mimetype: "application/epub+zip",
  "META-INF/container.xml": container,
  "OEBPS/content.opf": opf({ a: "text/one.xhtml", b: "text/chapter%20two.xhtml#start", c: "style.css" }, [
    "b",
    "a",
    "a",
    "c",
  ]),
  "OEBPS/text/one.xhtml": xhtml('<h1>One</h1><p>first<a id="x"/> text</p>'),
  "OEBPS/text/chapter two.xhtml": xhtml("<h1>Two</h1><p>second text</p>"),
  "OEBPS/style.css": "p {}",
};

describe("readEpub", () => {
  test("reads the chapters in reading order, each once", async () => {
    const blocks = await readBytes(readEpub, makeZip(book), "a.epub");
    expect(blocks.map(({ kind, text }) => [kind, text])).toEqual([
      ["heading", "Two"],
      ["text", "second text"],
      ["heading", "One"],
      ["text", "first text"],
    ]);
  });

  test("continues after a missing chapter", async () => {
    const parts = Object.entries(book).filter(([name]) => name !== "OEBPS/text/one.xhtml");
    const blocks = await readBytes(readEpub, makeZip(Object.fromEntries(parts)), "a.epub");
    expect(blocks.map(({ text }) => text)).toEqual(["Two", "second text"]);
  });

  test("reads books with encrypted fonts", async () => {
    const encryption = `<encryption><CipherReference URI="OEBPS/font.otf"/></encryption>`;
    expect(
      await readBytes(readEpub, makeZip({ ...book, "META-INF/encryption.xml": encryption }), "a.epub"),
    ).toHaveLength(4);
  });

  test.each<[string, Record<string, string>, string]>([
    ["no container", { mimetype: "application/epub+zip" }, "it lacks META-INF/container.xml"],
    ["no list of parts", { "META-INF/container.xml": container }, "it lacks OEBPS/content.opf"],
    ["no chapters", { ...book, "OEBPS/content.opf": opf({}, []) }, "no chapters"],
    [
      "encrypted chapters",
      { ...book, "META-INF/encryption.xml": `<encryption><CipherReference URI="OEBPS/text/one.xhtml"/></encryption>` },
      "protected",
    ],
  ])("refuses a book with %s", async (_, parts, message) => {
    const reading = readBytes(readEpub, makeZip(parts), "a.epub");
    await expect(reading).rejects.toBeInstanceOf(DocumentError);
    await expect(reading).rejects.toThrow(message);
  });
});
