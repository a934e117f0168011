import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readDocx } from "../../src/formats/docx.js";
import { p, part, read, table, texts } from "./makeDocx.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const styles = part(
  "styles",
  `<w:style w:styleId="a1"><w:name w:val="heading 1"/></w:style>
   <w:style w:styleId="mine"><w:name w:val="Mine"/><w:basedOn w:val="a1"/></w:style>
   <w:style w:styleId="out"><w:name w:val="Out"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
   <w:style w:styleId="c1"><w:basedOn w:val="c2"/></w:style><w:style w:styleId="c2"><w:basedOn w:val="c1"/></w:style>
   <w:style w:styleId="t"><w:name w:val="Title"/></w:style>
   <w:style w:styleId="li"><w:name w:val="List"/><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>`,
);

describe("paragraphs", () => {
  test("are separate blocks with their tabs and breaks, without empty ones", async () => {
    const runs =
      "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/></w:r><w:hyperlink><w:r><w:t>three</w:t></w:r></w:hyperlink></w:p>";
    const tabStop = "<w:tabs><w:tab/></w:tabs>";
    expect(await read(`${runs}${p(" ")}<w:p/>${p("last", tabStop)}`)).toEqual([
      { kind: "text", text: "one\ttwo\nthree", place: {} },
      { kind: "text", text: "last", place: {} },
    ]);
  });

  test("are headings because of the style's name or level, its base style, or their own level", async () => {
    const style = (id: string) => `<w:pStyle w:val="${id}"/>`;
    const blocks = await read(
      p("T", style("t")) +
        p("1", style("a1")) +
        p("1 too", style("mine")) +
        p("3", style("out")) +
        p("2", '<w:outlineLvl w:val="1"/>') +
        p("none", `${style("a1")}<w:outlineLvl w:val="9"/>`) +
        p("circle", style("c1")) +
        p("unknown", style("Heading4")) +
        p("was", `<w:pPrChange><w:pPr>${style("a1")}</w:pPr></w:pPrChange>`),
      { styles },
    );
    expect(blocks.map((block) => (block.kind === "heading" ? block.level : block.kind))).toEqual([
      1,
      1,
      1,
      3,
      2,
      "text",
      "text",
      4,
      "text",
    ]);
  });

  test("are read in the namespaces of Strict OOXML, and from a main part with another name", async () => {
    const body = `<w:body>${p("Some text")}</w:body>`;
    const bytes = makeZip({
      "_rels/.rels": `<Relationships><Relationship Id="a" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="word/document2.xml"/></Relationships>`,
      "word/document2.xml": part("document", body, "http://purl.oclc.org/ooxml/wordprocessingml/main"),
    });
    expect((await readBytes(readDocx, bytes, "a.docx")).map(({ text }) => text)).toEqual(["Some text"]);
  });

  test("omit deleted and moved text, and keep inserted text", async () => {
    const t = (text: string) => `<w:r><w:t>${text}</w:t></w:r>`;
    const body = `<w:p>${t("a")}<w:del><w:r><w:delText>b</w:delText></w:r></w:del><w:ins>${t("c")}</w:ins>
      <w:moveFrom>${t("d")}</w:moveFrom><w:moveTo>${t("e")}</w:moveTo><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>`;
    expect(await texts(body)).toEqual(["ace"]);
  });

  test("of text boxes appear once, after the paragraph of their anchor", async () => {
    const box = (text: string) => `<w:txbxContent>${p(text)}</w:txbxContent>`;
    const shape = `<w:r><mc:AlternateContent><mc:Choice>${box("box")}</mc:Choice><mc:Fallback>${box("box")}</mc:Fallback></mc:AlternateContent></w:r>`;
    expect(await texts(`<w:p>${shape}<w:r><w:t>around</w:t></w:r></w:p>${p("next")}`)).toEqual([
      "around",
      "box",
      "next",
    ]);
  });

  test("keep any text unchanged", async () => {
    const characters = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(characters, { maxLength: 5 }), async (paragraphs) => {
        const found = await texts(paragraphs.map((text) => p(text)).join(""));
        for (const text of found) {
          expect(text).toBe(text.trim().replaceAll("\0", "").toWellFormed());
          expect(text).not.toBe("");
        }
        // XML normalises line breaks and has no control characters.
        const plain = paragraphs.filter((text) => /^[\x20-\ud7ff]*$/.test(text)).map((text) => text.trim());
        expect(found).toEqual(expect.arrayContaining(plain.filter((text) => text !== "")));
      }),
      { numRuns: 50 },
    );
  });
});

describe("lists", () => {
  const level = (at: number, format: string, text: string) =>
    `<w:lvl w:ilvl="${at}"><w:start w:val="1"/><w:numFmt w:val="${format}"/><w:lvlText w:val="${text}"/></w:lvl>`;
  const numbering = part(
    "numbering",
    `<w:abstractNum w:abstractNumId="0">${level(0, "decimal", "%1.")}${level(1, "lowerLetter", "%1.%2)")}${level(2, "upperRoman", "%3")}</w:abstractNum>
     <w:abstractNum w:abstractNumId="1">${level(0, "bullet", "")}</w:abstractNum>
     <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
     <w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
     <w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>`,
  );
  const item = (text: string, list: number, at = 0) =>
    p(text, `<w:numPr><w:ilvl w:val="${at}"/><w:numId w:val="${list}"/></w:numPr>`);

  test("keep their numbers, letters or dashes", async () => {
    const body =
      item("one", 1) +
      item("inner", 1, 1) +
      item("inner too", 1, 1) +
      item("deep", 1, 2) +
      item("two", 1) +
      item("again", 1, 1) +
      item("anew", 3) +
      item("dash", 2) +
      item("unknown", 9) +
      item("no list", 0);
    expect(await texts(body, { numbering })).toEqual([
      ...["1. one", "1.a) inner", "1.b) inner too", "I deep", "2. two", "2.a) again"],
      ...["1. anew", "- dash", "- unknown", "no list"],
    ]);
  });

  test("have no blank lines between items, and may come from a style", async () => {
    const style = '<w:pStyle w:val="li"/>';
    const blocks = await read(p("before") + p("a", style) + p("b", style) + p("after"), { numbering, styles });
    expect(blocks.map(({ text, before }) => [text, before])).toEqual([
      ["before", undefined],
      ["- a", undefined],
      ["- b", "\n"],
      ["after", undefined],
    ]);
  });

  test("also number headings", async () => {
    const heading = (text: string) => p(text, `<w:outlineLvl w:val="0"/><w:numPr><w:numId w:val="1"/></w:numPr>`);
    expect(await texts(heading("Scope") + heading("Terms"), { numbering })).toEqual(["1. Scope", "2. Terms"]);
  });
});

describe("tables", () => {
  test("are rows, the first one the header", async () => {
    expect(await read(table(["Name", "Age"], ["Ann", "30"], ["", "31"], ["", ""]))).toEqual([
      { kind: "row", text: "Name | Age", header: null, place: {} },
      { kind: "row", text: "Ann | 30", header: "Name | Age", place: {} },
      { kind: "row", text: " | 31", header: "Name | Age", place: {} },
    ]);
  });

  test("have single-line cells", async () => {
    expect(await texts(table(["a", p("b") + p("c")]))).toEqual(["a | b c"]);
  });

  test("within tables have their own rows, in reading order", async () => {
    const inner = `${table(["x", "y"], ["1", "2"])}${p("after")}`;
    const blocks = await read(table(["A", "B"], ["left", inner], ["c", "d"]));
    expect(blocks.map(({ text, ...block }) => [text, block.kind === "row" ? block.header : block.kind])).toEqual([
      ["A | B", null],
      ["left", "A | B"],
      ["x | y", null],
      ["1 | 2", "x | y"],
      ["after", "text"],
      ["c | d", "A | B"],
    ]);
  });

  test("that only frame or title text are not rows", async () => {
    const heading = p("Head", '<w:outlineLvl w:val="0"/>');
    expect((await read(table([heading + p("text")]))).map(({ kind }) => kind)).toEqual(["heading", "text"]);
    const titled = await read(table(["Title", ""], ["a", "b"], ["c", "d"]));
    expect(titled.map((block) => block.kind === "row" && block.header)).toEqual([false, null, "a | b"]);
    const page = await read(table(["x".repeat(3_000), "y".repeat(3_000)]));
    const long = await texts(table([p("a").repeat(5_000), "b"]));
    expect(long).toEqual([...Array.from({ length: 5_000 }, () => "a"), "b"]);
    expect(page.map(({ kind, text }) => [kind, text.length])).toEqual([
      ["text", 3_000],
      ["text", 3_000],
    ]);
  });
});
