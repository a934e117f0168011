import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readDocx } from "../../src/formats/docx.js";
import { DocumentError } from "../../src/words/document.js";
import { docx, p, part, read, table, texts } from "./makeDocx.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

describe("notes and edges", () => {
  const note = (kind: string, id: number, text: string, more = "") =>
    `<w:${kind} w:id="${id}" ${more}>${p(text)}</w:${kind}>`;
  const reference = (kind: string, id: number) => `<w:r><w:${kind}Reference w:id="${id}"/></w:r>`;

  test("notes and comments follow the paragraph that refers to them", async () => {
    const body = `<w:p><w:r><w:t>Ouch</w:t></w:r>${reference("footnote", 1)}${reference("comment", 0)}</w:p>${p("next")}<w:p><w:r><w:t>end</w:t></w:r>${reference("endnote", 1)}</w:p>`;
    expect(
      await texts(body, {
        footnotes: part("footnotes", note("footnote", -1, " ") + note("footnote", 1, "A tachyon.")),
        endnotes: part("endnotes", note("endnote", 1, "Fin.")),
        comments: part("comments", note("comment", 0, "Really?", 'w:author="Ann"')),
      }),
    ).toEqual(["Ouch", "Footnote: A tachyon.", "Comment (Ann): Really?", "next", "end", "Endnote: Fin."]);
  });

  test("a note with two references appears once", async () => {
    const body = `<w:p><w:r><w:t>a</w:t></w:r>${reference("footnote", 1).repeat(3)}</w:p>`;
    expect(await texts(body, { footnotes: part("footnotes", note("footnote", 1, "b")) })).toEqual(["a", "Footnote: b"]);
  });

  test("headers come first, footers last, each once and never as headings", async () => {
    const header = part("hdr", p("Company", '<w:outlineLvl w:val="0"/>'));
    const blocks = await read(p("Main document"), {
      header1: header,
      header2: header,
      header3: part("hdr", p("First page")),
      footer1: part("ftr", p("Confidential")),
    });
    expect(blocks.map(({ kind, text }) => [kind, text])).toEqual([
      ["text", "Company"],
      ["text", "First page"],
      ["text", "Main document"],
      ["text", "Confidential"],
    ]);
  });
});

describe("a document of a few kilobytes that unfolds to 11 million characters is refused with the numbers", () => {
  const bombs: [string, () => Buffer][] = [
    ["header", () => docx("", { header: part("hdr", p("a".repeat(1_000)).repeat(11_000)) })],
    ["text box", () => docx(`<w:p>${p("a".repeat(1_000)).repeat(11_000)}</w:p>`)],
    [
      "note",
      () =>
        docx("", { footnotes: part("footnotes", `<w:footnote>${p("a".repeat(1_000)).repeat(11_000)}</w:footnote>`) }),
    ],
  ];
  test.each(bombs)("in one %s", async (_, make) => {
    const bytes = make();
    expect(bytes.length).toBeLessThan(100_000);
    await expect(readBytes(readDocx, bytes, "a.docx")).rejects.toThrow(
      `more text than the limit of 10,485,760 characters for a file of ${bytes.length.toLocaleString("en")} bytes`,
    );
  });
});

test("embedded documents are read by their own format", async () => {
  const bytes = docx(p("before"), { aFChunk: "<p>within</p>", footer: part("ftr", p("after")) });
  const blocks = await readBytes(readDocx, bytes, "a.docx", {
    readInner: async function* (inner, name) {
      yield await Promise.resolve({ kind: "text", text: `${name}: ${Buffer.from(inner).toString()}`, place: {} });
    },
  });
  expect(blocks.map(({ text }) => text)).toEqual(["before", "aFChunk.xml: <p>within</p>", "after"]);
});

describe("damaged documents", () => {
  test.each<[string, Buffer]>([
    ["no document in it", makeZip({ "word/styles.xml": "<a/>" })],
    ["a document that is not XML", makeZip({ "word/document.xml": "CORRUPTED" })],
    ["a document that is cut off", makeZip({ "word/document.xml": part("document", p("text")).slice(0, -20) })],
    ["entities", makeZip({ "word/document.xml": `<!DOCTYPE a [<!ENTITY x "y">]>${part("document", p("text"))}` })],
    ["a text that is too long", docx(p("x".repeat(9 * 2 ** 20)))],
    ["nesting without end", docx("<w:p><w:r>".repeat(2_000))],
  ])("are refused for %s", async (_, bytes) => {
    const reading = readBytes(readDocx, bytes, "a.docx");
    await expect(reading).rejects.toBeInstanceOf(DocumentError);
    await expect(reading).rejects.toMatchObject({ code: "invalid_file" });
  });

  test("are read or refused, whatever the damage", async () => {
    const whole = part(
      "document",
      `<w:body>${table(["a", "b"], ["c", table(["d"])])}${p("text")}${p("x", '<w:numPr><w:numId w:val="1"/></w:numPr>')}</w:body>`,
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.nat(60), fc.string({ maxLength: 8 }), async (at, cut, put) => {
        const xml = whole.slice(0, at) + put + whole.slice(at + cut);
        const reading = readBytes(readDocx, makeZip({ "word/document.xml": xml }), "a.docx");
        await reading.catch((error: unknown) => {
          expect(error).toBeInstanceOf(DocumentError);
        });
      }),
      { numRuns: 300 },
    );
  });
});
