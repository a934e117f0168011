import { describe, expect, test } from "@jest/globals";
import { type Block, DocumentError } from "../../src/words/document.js";
import { readPptx } from "../../src/formats/pptx.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const namespaces = `xmlns:p="p" xmlns:a="a" xmlns:r="${office}" xmlns:c="c" xmlns:dgm="dgm" xmlns:mc="mc"`;

function paragraphs(...texts: string[]): string {
  return texts.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join("");
}

function shape(placeholder: string, ...texts: string[]): string {
  const kind = placeholder === "" ? "" : `<p:ph type="${placeholder}"/>`;
  return `<p:sp><p:nvSpPr><p:nvPr>${kind}</p:nvPr></p:nvSpPr><p:txBody>${paragraphs(...texts)}</p:txBody></p:sp>`;
}

function slide(content: string): string {
  return `<p:sld ${namespaces}><p:cSld><p:spTree>${content}</p:spTree></p:cSld></p:sld>`;
}

/** Relationships by id, each a type and a target. */
function links(targets: Record<string, [string, string]>): string {
  const each = Object.entries(targets).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`,
  );
  return `<Relationships>${each.join("")}</Relationships>`;
}

/** A presentation that shows its slides in this order. */
function pptx(slides: string[], more: Record<string, string> = {}): Buffer {
  const ids = slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${slides.length - i}"/>`);
  const targets = slides.map(
    (_, i) => [`rId${slides.length - i}`, ["slide", `slides/slide${slides.length - i}.xml`]] as const,
  );
  return makeZip({
    "ppt/presentation.xml": `<p:presentation ${namespaces}><p:sldIdLst>${ids.join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": links(
      Object.fromEntries(targets.map(([id, [type, target]]) => [id, [type, target]])),
    ),
    ...Object.fromEntries(slides.map((content, i) => [`ppt/slides/slide${slides.length - i}.xml`, slide(content)])),
    ...more,
  });
}

function read(slides: string[], more?: Record<string, string>): Promise<Block[]> {
  return readBytes(readPptx, pptx(slides, more), "a.pptx");
}

async function texts(slides: string[], more?: Record<string, string>): Promise<string[]> {
  return (await read(slides, more)).map(({ text }) => text);
}

describe("slides", () => {
  test("are in the presentation's order, with their titles first", async () => {
    const first = shape("body", "point", "other point") + shape("title", "First");
    const second = shape("ctrTitle", "Second", "in two lines") + shape("", "text");
    expect(await read([first, second])).toEqual([
      { kind: "heading", level: 1, text: "First", place: { slide: 1 } },
      { kind: "text", text: "point", place: { slide: 1 } },
      { kind: "text", text: "other point", place: { slide: 1 }, before: "\n" },
      { kind: "heading", level: 1, text: "Second in two lines", place: { slide: 2 } },
      { kind: "text", text: "text", place: { slide: 2 } },
    ]);
  });

  test("have groups, fields, line breaks, and shapes with fallbacks for older programs", async () => {
    const group = `<p:grpSp><p:grpSp>${shape("", "inner")}</p:grpSp>${shape("", "outer")}</p:grpSp>`;
    const either = `<mc:AlternateContent><mc:Choice>${shape("", "new")}</mc:Choice><mc:Fallback>${shape("", "old")}</mc:Fallback></mc:AlternateContent>`;
    const broken = `<p:sp><a:p><a:r><a:t>a</a:t></a:r><a:br/><a:fld><a:t>b_x000B_c</a:t></a:fld></a:p></p:sp>`;
    expect(await texts([group + either + broken])).toEqual(["inner", "outer", "new", "a\nb\nc"]);
  });

  test("leave out numbers and dates, and have each footer once", async () => {
    const edge = shape("sldNum", "7") + shape("dt", "1/1/2026") + shape("ftr", "Confidential");
    expect(await texts([shape("", "a") + edge, shape("", "b") + edge])).toEqual(["a", "Confidential", "b"]);
  });

  test("have tables", async () => {
    const row = (...cells: string[]) =>
      `<a:tr>${cells.map((cell) => `<a:tc><a:txBody>${paragraphs(cell)}</a:txBody></a:tc>`).join("")}</a:tr>`;
    expect(await read([`<p:graphicFrame><a:tbl>${row("A", "B")}${row("1", "2")}</a:tbl></p:graphicFrame>`])).toEqual([
      { kind: "row", text: "A | B", header: null, place: { slide: 1 } },
      { kind: "row", text: "1 | 2", header: "A | B", place: { slide: 1 } },
    ]);
  });

  test("have charts and diagrams", async () => {
    const graphics = `<p:graphicFrame><c:chart r:id="c1"/></p:graphicFrame><p:graphicFrame><dgm:relIds r:dm="d1"/></p:graphicFrame>`;
    const points = (...values: string[]) =>
      values.map((value, i) => `<c:pt idx="${i}"><c:v>${value}</c:v></c:pt>`).join("");
    const series = (name: string, ...values: string[]) =>
      `<c:ser><c:tx><c:strRef><c:f>A1</c:f>${points(name)}</c:strRef></c:tx><c:cat>${points("2000", "2001")}</c:cat><c:val>${points(...values)}</c:val></c:ser>`;
    const chart = `<c:chartSpace ${namespaces}><c:title>${paragraphs("Sales")}</c:title>${series("North", "4.2999999999999998", "2")}${series("South", "1", "x")}</c:chartSpace>`;
    const diagram = `<dgm:dataModel ${namespaces}><dgm:pt><dgm:t>${paragraphs("Plan")}</dgm:t></dgm:pt><dgm:pt><dgm:t>${paragraphs("Do")}</dgm:t></dgm:pt></dgm:dataModel>`;
    expect(
      await texts([shape("title", "T") + graphics], {
        "ppt/slides/_rels/slide1.xml.rels": links({
          c1: ["chart", "../charts/chart1.xml"],
          d1: ["diagramData", "../diagrams/data1.xml"],
        }),
        "ppt/charts/chart1.xml": chart,
        "ppt/diagrams/data1.xml": diagram,
      }),
    ).toEqual(["T", "Sales", "North: 2000 = 4.3, 2001 = 2", "South: 2000 = 1, 2001 = x", "Plan", "Do"]);
  });

  test("have notes and comments, old and new", async () => {
    const more = {
      "ppt/slides/_rels/slide1.xml.rels": links({
        n: ["notesSlide", "../notesSlides/notesSlide1.xml"],
        o: ["comments", "../comments/comment1.xml"],
        m: ["comments", "../comments/modern.xml"],
      }),
      "ppt/notesSlides/notesSlide1.xml": `<p:notes ${namespaces}>${shape("sldImg", "x")}${shape("body", "Say this.", "Then that.")}${shape("sldNum", "1")}</p:notes>`,
      "ppt/comments/comment1.xml": `<p:cmLst ${namespaces}><p:cm><p:text>Why?</p:text></p:cm></p:cmLst>`,
      "ppt/comments/modern.xml": `<p:cmLst ${namespaces}><p:cm><p:txBody>${paragraphs("Because")}</p:txBody></p:cm></p:cmLst>`,
    };
    expect(await texts([shape("", "a")], more)).toEqual([
      "a",
      "Notes: Say this.\nThen that.",
      "Comment: Why?",
      "Comment: Because",
    ]);
  });
});

describe("damaged presentations", () => {
  test("have the same notes only once", async () => {
    const notes = links({ n: ["notesSlide", "../notes.xml"] });
    const more = {
      "ppt/slides/_rels/slide1.xml.rels": notes,
      "ppt/slides/_rels/slide2.xml.rels": notes,
      "ppt/notes.xml": `<p:notes ${namespaces}>${shape("body", "Say this.")}</p:notes>`,
    };
    expect(await texts([shape("", "a"), shape("", "b")], more)).toEqual(["a", "Notes: Say this.", "b"]);
  });

  test("are read without missing slides, and each slide once", async () => {
    const bytes = makeZip({
      "ppt/presentation.xml": `<p:presentation ${namespaces}>${'<p:sldId r:id="a"/>'.repeat(5)}<p:sldId r:id="b"/></p:presentation>`,
      "ppt/_rels/presentation.xml.rels": links({ a: ["slide", "slides/s.xml"], b: ["slide", "slides/missing.xml"] }),
      "ppt/slides/s.xml": slide(shape("", "text")),
    });
    expect((await readBytes(readPptx, bytes, "a.pptx")).map(({ text }) => text)).toEqual(["text"]);
  });

  test.each<[string, Buffer]>([
    ["no presentation in it", makeZip({ "word/document.xml": "<a/>" })],
    ["a slide that is not XML", pptx([shape("", "a") + "<"])],
    ["a password", Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(504)])],
  ])("are refused for %s", async (_, bytes) => {
    await expect(readBytes(readPptx, bytes, "a.pptx")).rejects.toBeInstanceOf(DocumentError);
  });
});
