import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { DocumentError } from "../../src/words/document.js";
import { readRtf } from "../../src/formats/rtf.js";
import { readBytes } from "./readBytes.js";

const read = (rtf: string) => readBytes(readRtf, Buffer.from(rtf, "latin1"), "a.rtf");
const texts = async (body: string) => (await read(`{\\rtf1\\ansi\\ansicpg1252 ${body}}`)).map(({ text }) => text);

describe("readRtf", () => {
  test("reads paragraphs as word processors write them", async () => {
    const rtf = String.raw`{\rtf1\ansi\ansicpg1252\deff0\nouicompat{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset204 Arial;}}
{\colortbl ;\red255\green0\blue0;}
{\stylesheet{\s0 Normal;}{\s1 heading 1;}}
{\*\generator Riched20 10.0.19041}{\info{\title Hidden}{\author Someone}}\viewkind4\uc1
\pard\outlinelevel0\b Title\b0\par
\pard\sa200\sl276\slmult1\f0\fs22\lang7 First \b bold\b0  text with
 a broken line.\par
Second\line third line\tab x\par
\f1\'cf\'f0\'e8\'e2\'e5\'f2\f0\par
}`;
    expect(await read(rtf)).toEqual([
      { kind: "heading", level: 1, text: "Title", place: {} },
      { kind: "text", text: "First bold text with a broken line.", place: {} },
      { kind: "text", text: "Second\nthird line\tx", place: {} },
      { kind: "text", text: "Привет", place: {} },
    ]);
  });

  test("reads all kinds of characters", async () => {
    expect(
      await texts(String.raw`\'80\'fc \u8364? \u-10179?\u-8704? \{\}\\ a\~b a\_b a\-b \ldblquote x\rdblquote\emdash`),
    ).toEqual(["€ü € 😀 {}\\ a b a-b ab “x”—"]);
    expect(await texts(String.raw`\uc2\u26085\'93\'faX \uc0\u26085Y{\uc1\u26085?Z}\u26085Q`)).toEqual([
      "日X 日Y日Z日Q",
    ]);
    expect(await texts(String.raw`\u160\~a\u8220\ldblquote b`)).toEqual(["\u00a0a“b".trim()]);
  });

  test("reads multi-byte characters, even if the second byte is a letter", async () => {
    const rtf = String.raw`{\rtf1\ansi\ansicpg932 {\fonttbl{\f0\fcharset128 Mincho;}}\f0 \'93\'fa\'96\'7b \'83A}`;
    expect((await read(rtf)).map(({ text }) => text)).toEqual(["日本 ア"]);
  });

  test("uses the document's code page if the font has none", async () => {
    expect((await read(String.raw`{\rtf1\ansi\ansicpg1250 \'f8}`)).map(({ text }) => text)).toEqual(["ř"]);
    expect((await read(String.raw`{\rtf1\mac \'8a}`)).map(({ text }) => text)).toEqual(["ä"]);
  });

  test("turns tables into rows", async () => {
    const row = (...cells: string[]) =>
      `\\trowd\\cellx1000\\cellx2000\\pard\\intbl ${cells.join("\\cell ")}\\cell\\row\n`;
    const rtf = `{\\rtf1 before\\par ${row("Name", "Age")}${row("Anna", "31\\par years")}${row("Bernd", "")}\\pard after\\par}`;
    expect(await read(rtf)).toEqual([
      { kind: "text", text: "before", place: {} },
      { kind: "row", text: "Name | Age", header: null, place: {} },
      { kind: "row", text: "Anna | 31 years", header: "Name | Age", place: {} },
      { kind: "row", text: "Bernd", header: "Name | Age", place: {} },
      { kind: "text", text: "after", place: {} },
    ]);
  });

  test("leaves out pictures, field codes and other groups without text", async () => {
    expect(
      await texts(
        String.raw`a{\pict\wmetafile8 0123abcd}{\*\unknown b{c}}{\field{\*\fldinst HYPERLINK "x"}{\fldrslt link}}` +
          String.raw`{\object{\*\objdata 01}{\result shown}}{\pict\bin5 }}}}}}d{\*\bkmkstart x}e`,
      ),
    ).toEqual(["alinkshownde"]);
  });

  test("reads notes, headers and text boxes as separate blocks", async () => {
    expect(
      await texts(String.raw`One{\footnote \pard A {\b note}\par}{\footnote B} two.\par{\header Head\par}Three\par`),
    ).toEqual(["One two.", "A note", "B", "Three", "Head"]);
    expect(await texts(String.raw`a{\shp{\*\shpinst{\sp{\sn n}{\sv v}}{\shptxt \pard box\par}}}b\par`)).toEqual([
      "ab",
      "box",
    ]);
  });

  test("writes lists with markers", async () => {
    expect(
      await texts(String.raw`{\listtext\f3\u-3913 ?\tab}one\par{\pntext\f1\'B7\tab}two\par{\listtext 3.\tab}three\par`),
    ).toEqual(["- one", "- two", "3. three"]);
  });

  test("reads documents that end too early, or have too many brackets", async () => {
    expect(await texts(String.raw`a{\b b`)).toEqual(["ab"]);
    expect((await read("{\\rtf1 a}}}} b")).map(({ text }) => text)).toEqual(["a"]);
    expect(await texts("a\\")).toEqual(["a}"]);
  });

  test("refuses documents that are nested too deeply, or have no text", async () => {
    await expect(read(`{\\rtf1 ${"{".repeat(100_000)}`)).rejects.toThrow("nested more than");
    await expect(read("{\\rtf1 {\\info x} \\par }")).rejects.toMatchObject({ code: "invalid_file" });
  });

  test("fails only with a DocumentError", async () => {
    const part = fc.oneof(
      fc.constantFrom(
        ...[
          "{",
          "}",
          "\\par ",
          "\\cell ",
          "\\row ",
          "\\intbl ",
          "{\\footnote ",
          "{\\*\\x ",
          "\\u233?",
          "\\'e9",
          "\\bin3 ",
          "\\uc5 ",
          "\\",
        ],
      ),
      fc.string({ maxLength: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
        try {
          for (const { text } of await read(`{\\rtf1 ${parts.join("")}`)) expect(text.trim()).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
