import {
  attachment,
  docx,
  epub,
  mail,
  odt,
  office,
  ods,
  odsRow,
  paragraph,
  pptx,
  prose,
  shape,
} from "./amplifyParts.js";
import { xlsxOf } from "./makeWorkbook.js";
import { makeZip } from "./makeZip.js";

/* Documents whose text a reader collects before it passes any of it on: a limit on what it passes on comes too late. */

const long = prose(7_000_000);
/** Characters of two bytes each in memory. */
const wide = "слово ".repeat(600_000);
const times = 17;

const parts = (type: string, part: string, xml: string) => ({
  "word/_rels/document.xml.rels": `<Relationships><Relationship Id="r" Type="${office}/${type}" Target="${part}"/></Relationships>`,
  [`word/${part}`]: xml,
});
const run = (text: string) => `<w:r><w:t>${text}</w:t></w:r>`;
const title = (text: string) =>
  `<p:sp><p:nvPr><p:ph type="title"/></p:nvPr><p:txBody>${`<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`.repeat(times)}</p:txBody></p:sp>`;
const slideWith = (type: string, part: string, xml: string, slide = "") =>
  makeZip({
    "ppt/presentation.xml": `<p:presentation xmlns:r="${office}"><p:sldIdLst><p:sldId r:id="r"/></p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": `<Relationships><Relationship Id="r" Type="${office}/slide" Target="slides/s.xml"/></Relationships>`,
    "ppt/slides/s.xml": `<p:sld>${shape}${slide}</p:sld>`,
    "ppt/slides/_rels/s.xml.rels": `<Relationships><Relationship Id="r" Type="${office}/${type}" Target="../${part}"/></Relationships>`,
    [`ppt/${part}`]: xml,
  });
const chart = (xml: string) => slideWith("chart", "chart.xml", xml, '<c:chart r:id="r"/>');
const edges = (xml: string) =>
  makeZip({
    mimetype: "application/vnd.oasis.opendocument.text",
    "styles.xml": `<s><office:master-styles xmlns:office="o">${xml}</office:master-styles></s>`,
    "content.xml": "<d><text:p>a</text:p></d>",
  });
const cell = (text: string) => `<row><c t="inlineStr"><is><t>${text}</t></is></c></row>`;

export const collected: readonly { name: string; make: () => Buffer }[] = [
  {
    name: "header.docx",
    make: () => docx(paragraph, parts("header", "h.xml", `<w:hdr>${paragraph.repeat(110_000)}</w:hdr>`)),
  },
  {
    name: "small header.docx",
    make: () =>
      docx(paragraph, parts("header", "h.xml", `<w:hdr>${`<w:p>${run("a")}</w:p>`.repeat(3_500_000)}</w:hdr>`)),
  },
  {
    name: "long header.docx",
    make: () => docx(paragraph, parts("footer", "h.xml", `<w:ftr>${`<w:p>${run(wide)}</w:p>`.repeat(18)}</w:ftr>`)),
  },
  {
    name: "note.docx",
    make: () =>
      docx(
        paragraph,
        parts(
          "footnotes",
          "n.xml",
          `<w:footnotes><w:footnote w:id="1">${paragraph.repeat(110_000)}</w:footnote></w:footnotes>`,
        ),
      ),
  },
  {
    name: "comments.docx",
    make: () =>
      docx(
        paragraph,
        parts(
          "comments",
          "c.xml",
          `<w:comments>${`<w:comment w:id="1" w:author="${long}">${paragraph}</w:comment>`.repeat(times)}</w:comments>`,
        ),
      ),
  },
  { name: "one cell.docx", make: () => docx(`<w:tbl><w:tr><w:tc>${paragraph.repeat(110_000)}</w:tc></w:tr></w:tbl>`) },
  {
    name: "long cell.docx",
    make: () => docx(`<w:tbl><w:tr><w:tc>${`<w:p>${run(wide)}</w:p>`.repeat(18)}</w:tc></w:tr></w:tbl>`),
  },
  {
    name: "text box.docx",
    make: () => docx(`<w:p><w:r><w:txbxContent>${paragraph.repeat(110_000)}</w:txbxContent></w:r></w:p>`),
  },
  { name: "nested.docx", make: () => docx(`${`<w:p>${run(long)}<w:r>`.repeat(times)}${"</w:r></w:p>".repeat(times)}`) },
  { name: "two bytes.docx", make: () => docx(`<w:p>${run(wide).repeat(18)}</w:p>`) },
  {
    name: "styles.docx",
    make: () =>
      docx(
        paragraph,
        parts(
          "styles",
          "s.xml",
          `<w:styles>${`<w:style w:styleId="${long}"><w:basedOn w:val="${long.slice(1)}"/></w:style>`.repeat(8)}</w:styles>`,
        ),
      ),
  },
  {
    name: "lists.docx",
    make: () =>
      docx(
        paragraph,
        parts(
          "numbering",
          "n.xml",
          `<w:numbering>${Array.from({ length: 16 }, (_, i) => `<w:num w:numId="${i}${long}"/>`).join("")}</w:numbering>`,
        ),
      ),
  },
  {
    name: "links.docx",
    make: () =>
      docx(paragraph, {
        "word/_rels/document.xml.rels": `<Relationships>${`<Relationship Id="${long}"/>`.repeat(times)}</Relationships>`,
      }),
  },
  { name: "title.pptx", make: () => pptx(title(long), 1) },
  { name: "wide title.pptx", make: () => pptx(title(wide), 1) },
  { name: "notes.pptx", make: () => slideWith("notesSlide", "n.xml", `<p:notes>${shape.repeat(100_000)}</p:notes>`) },
  {
    name: "comment.pptx",
    make: () =>
      slideWith("comments", "c.xml", `<p:cmLst><p:cm>${`<p:text>${long}</p:text>`.repeat(times)}</p:cm></p:cmLst>`),
  },
  {
    name: "chart.pptx",
    make: () =>
      chart(
        `<c:chart><c:ser><c:val>${Array.from({ length: times }, (_, i) => `<c:pt idx="${i}"><c:v>${long}</c:v></c:pt>`).join("")}</c:val></c:ser></c:chart>`,
      ),
  },
  {
    name: "long value.pptx",
    make: () => chart(`<c:chart><c:ser><c:tx><c:v>${`${long}<!---->`.repeat(times)}</c:v></c:tx></c:ser></c:chart>`),
  },
  {
    name: "points.pptx",
    make: () =>
      chart(
        `<c:chart><c:ser><c:val>${Array.from({ length: 60_000 }, (_, i) => `<c:pt idx="${i}"><c:v>1</c:v></c:pt>`).join("")}</c:val></c:ser></c:chart>`,
      ),
  },
  {
    name: "header.odt",
    make: () => edges(`<style:header>${`<text:p>${prose(1_000)}</text:p>`.repeat(110_000)}</style:header>`),
  },
  {
    name: "headers.odt",
    make: () =>
      edges(
        `<style:header>${Array.from({ length: 300_000 }, (_, i) => `<text:p>${i}</text:p>`).join("")}</style:header>`,
      ),
  },
  {
    name: "frame.odt",
    make: () => odt(`<text:p><draw:frame>${`<text:p>${prose(1_000)}</text:p>`.repeat(110_000)}</draw:frame></text:p>`),
  },
  {
    name: "cell.odt",
    make: () =>
      odt(
        `<table:table><table:table-row><table:table-cell>${`<text:p>${prose(1_000)}</text:p>`.repeat(110_000)}</table:table-cell></table:table-row></table:table>`,
      ),
  },
  { name: "cell.ods", make: () => ods(odsRow(1, 1, `${long}<!---->`.repeat(times))) },
  { name: "cells.ods", make: () => ods(odsRow(1, 1, wide).repeat(18)) },
  {
    name: "names.ods",
    make: () =>
      ods(
        `</table:table>${`<table:table table:name="${long}">${odsRow(1, 1, "a")}</table:table>`.repeat(times)}<table:table>`,
      ),
  },
  {
    name: "one string.xlsx",
    make: () => xlsxOf([{ name: "S", rows: cell("a") }], `<si>${`<t>${long}</t>`.repeat(times)}</si>`),
  },
  { name: "empty strings.xlsx", make: () => xlsxOf([{ name: "S", rows: cell("a") }], "<si/>".repeat(20_000_000)) },
  {
    name: "wide strings.xlsx",
    make: () => xlsxOf([{ name: "S", rows: cell("a") }], `<si><t>${wide}</t></si>`.repeat(18)),
  },
  { name: "inline.xlsx", make: () => xlsxOf([{ name: "S", rows: cell(wide).repeat(18) }]) },
  {
    name: "value.xlsx",
    make: () => xlsxOf([{ name: "S", rows: `<row><c t="str"><v>${`${long}<!---->`.repeat(times)}</v></c></row>` }]),
  },
  {
    name: "sheet names.xlsx",
    make: () => xlsxOf([{ name: prose(6_000_000), rows: cell(prose(1_000)).repeat(5_000) }]),
  },
  {
    name: "formats.xlsx",
    make: () => xlsxOf([{ name: "S", rows: cell("a") }], "", `<cellXfs>${"<xf/>".repeat(20_000_000)}</cellXfs>`),
  },
  {
    name: "merges.xlsx",
    make: () =>
      xlsxOf([
        { name: "S", rows: cell("a"), after: `<mergeCells>${`<mergeCell ref="${long}"/>`.repeat(times)}</mergeCells>` },
      ]),
  },
  { name: "wide chapter.epub", make: () => epub(`<html><body>${`<p>${wide}</p>`.repeat(2)}</body></html>`, 9) },
  { name: "long chapter.epub", make: () => epub(`<html><body><p>${"漢字 ".repeat(4_500_000)}</p></body></html>`, 1) },
  {
    name: "cell.epub",
    make: () =>
      epub(`<html><body><table><tr><td>${`<p>${prose(100_000)}</p>`.repeat(300)}</td></tr></table></body></html>`, 1),
  },
  { name: "filename.eml", make: () => mail([attachment(prose(200_000), Buffer.from(prose(400_000)))]) },
];
