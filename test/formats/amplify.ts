import { deflateSync } from "node:zlib";
import * as xlsx from "xlsx";
import { makeMail, makeCompoundFile, numbers, properties } from "./makeMail.js";
import { xlsxOf } from "./makeWorkbook.js";
import { makeZip } from "./makeZip.js";

/**
 * Documents of less than a megabyte that unfold as far as their format allows: compressed repetition, cells that stand
 * for millions, texts that are shared, headers that are repeated in every chunk.
 */
export interface Bomb {
  name: string;
  make: () => Buffer;
}

const megabyte = 2 ** 20;
/** Words, so that tokens are of the usual length. */
const prose = (length: number) =>
  "Amplified words of a hostile document fill the disk. ".repeat(Math.ceil(length / 53)).slice(0, length);
/** Text that hardly compresses: what a format itself adds is measured. */
function noise(length: number): string {
  let state = 1;
  let text = "";
  while (text.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

const ods = (rows: string) =>
  makeZip({
    mimetype: "application/vnd.oasis.opendocument.spreadsheet",
    "content.xml": `<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="S">${rows}</table:table></office:spreadsheet></office:body></office:document-content>`,
  });
const odsRow = (rows: number, columns: number, text: string) =>
  `<table:table-row table:number-rows-repeated="${rows}"><table:table-cell table:number-columns-repeated="${columns}"><text:p>${text}</text:p></table:table-cell></table:table-row>`;
const odt = (body: string) =>
  makeZip({
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": `<office:document-content xmlns:office="o" xmlns:text="x"><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
  });
const docx = (body: string, more: Record<string, string> = {}) =>
  makeZip({
    "word/document.xml": `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    ...more,
  });
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const pptx = (slide: string, slides: number) => {
  const numbered = Array.from({ length: slides }, (_, i) => i + 1);
  return makeZip({
    "ppt/presentation.xml": `<p:presentation xmlns:p="p" xmlns:r="${office}"><p:sldIdLst>${numbered.map((i) => `<p:sldId id="${i}" r:id="r${i}"/>`).join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": `<Relationships>${numbered.map((i) => `<Relationship Id="r${i}" Type="${office}/slide" Target="slides/slide${i}.xml"/>`).join("")}</Relationships>`,
    ...Object.fromEntries(
      numbered.map((i) => [`ppt/slides/slide${i}.xml`, `<p:sld xmlns:p="p" xmlns:a="a">${slide}</p:sld>`]),
    ),
  });
};
const epub = (chapter: string, chapters: number) => {
  const numbered = Array.from({ length: chapters }, (_, i) => i);
  return makeZip({
    mimetype: "application/epub+zip",
    "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
    "a.opf": `<package><manifest>${numbered.map((i) => `<item id="i${i}" href="${i}.html" media-type="application/xhtml+xml"/>`).join("")}</manifest><spine>${numbered.map((i) => `<itemref idref="i${i}"/>`).join("")}</spine></package>`,
    ...Object.fromEntries(numbered.map((i) => [`${i}.html`, chapter])),
  });
};

/** A PDF of these pages' objects. @param more further objects, from number 5 */
function pdf(pages: number, content: string, resources: string, more: string[] = []): Buffer {
  const packed = deflateSync(content, { level: 9 });
  const first = 5 + more.length;
  const kids = Array.from({ length: pages }, (_, i) => `${first + i} 0 R`);
  const parts = [
    Buffer.from("%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n"),
    Buffer.from(
      `2 0 obj\n<</Type /Pages /Kids [${kids.join(" ")}] /Count ${pages} /MediaBox [0 0 600 800] /Resources <<${resources}>>>>\nendobj\n`,
    ),
    Buffer.from("3 0 obj\n<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R>>\nendobj\n"),
    Buffer.from(`4 0 obj\n<</Filter /FlateDecode /Length ${packed.length}>>\nstream\n`),
    packed,
    Buffer.from("\nendstream\nendobj\n"),
    ...more.map((object, i) => Buffer.from(`${5 + i} 0 obj\n${object}\nendobj\n`, "latin1")),
    ...kids.map((_, i) => Buffer.from(`${first + i} 0 obj\n<</Type /Page /Parent 2 0 R /Contents 4 0 R>>\nendobj\n`)),
    Buffer.from("trailer\n<</Root 1 0 R>>\nstartxref\n999999\n%%EOF\n"),
  ];
  return Buffer.concat(parts);
}
const stream = (dictionary: string, content: string) => {
  const packed = deflateSync(content, { level: 9 });
  return `<<${dictionary} /Filter /FlateDecode /Length ${packed.length}>>\nstream\n${packed.toString("latin1")}\nendstream`;
};
const line = (y: number) => `1 0 0 1 20 ${y} Tm (Amplified words of a hostile document) Tj\n`;
const page = (lines: number) =>
  `BT /F1 8 Tf\n${Array.from({ length: lines }, (_, i) => line(790 - (i % 780))).join("")}ET`;

const attachment = (name: string, bytes: Buffer) =>
  `Content-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes.toString("base64").replace(/.{76}/g, "$&\r\n")}`;
const mail = (parts: string[]) => Buffer.from(makeMail(["From: a@b.c", "Subject: s"], parts));

const paragraph = `<w:p><w:r><w:t>${prose(1_000)}</w:t></w:r></w:p>`;
const shape = `<p:sp><p:txBody><a:p><a:r><a:t>${prose(1_000)}</a:t></a:r></a:p></p:txBody></p:sp>`;
/** The writer of .xls repeats shared texts, so only .xlsb unfolds. */
const xlsb = () => {
  const book = xlsx.utils.book_new();
  const row = Array.from({ length: 50 }, () => prose(30_000));
  xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(Array.from({ length: 200 }, () => row)), "S");
  return xlsx.write(book, { type: "buffer", bookType: "xlsb", bookSST: true, compression: true }) as Buffer;
};

export const bombs: readonly Bomb[] = [
  { name: "repeated.ods", make: () => ods(odsRow(1_000_000, 2, prose(30_000))) },
  { name: "wide.ods", make: () => ods(odsRow(100, 16_384, prose(30_000))) },
  { name: "repeated sheets.ods", make: () => ods(odsRow(1_000, 1_000, "x").repeat(1_000)) },
  {
    name: "shared strings.xlsx",
    make: () =>
      xlsxOf(
        [{ name: "S", rows: `<row>${'<c t="s"><v>0</v></c>'.repeat(10)}</row>`.repeat(50_000) }],
        `<si><t>${prose(30_000)}</t></si>`,
      ),
  },
  {
    name: "wide.xlsx",
    make: () =>
      xlsxOf(
        [{ name: "S", rows: `<row>${'<c t="s"><v>0</v></c>'.repeat(16_384)}</row>`.repeat(50) }],
        `<si><t>${prose(30_000)}</t></si>`,
      ),
  },
  {
    name: "merged.xlsx",
    make: () =>
      xlsxOf(
        [
          {
            name: "S",
            rows: Array.from(
              { length: 20_000 },
              (_, i) =>
                `<row r="${i + 1}"><c r="A${i + 1}" t="s"><v>0</v></c>${i % 1_000 === 0 ? '<c t="s"><v>0</v></c>'.repeat(1_000) : ""}</row>`,
            ).join(""),
            after: `<mergeCells>${Array.from({ length: 20 }, (_, block) =>
              Array.from({ length: 675 }, (_, i) => {
                const column =
                  (i < 25 ? "" : String.fromCharCode(64 + Math.floor((i - 25) / 26) + 1)) +
                  String.fromCharCode(65 + ((i + 1) % 26));
                return `<mergeCell ref="${column}${block * 1_000 + 1}:${column}${block * 1_000 + 1_000}"/>`;
              }).join(""),
            ).join("")}</mergeCells>`,
          },
        ],
        `<si><t>${prose(500)}</t></si>`,
      ),
  },
  {
    name: "cells.xlsx",
    make: () => xlsxOf([{ name: "S", rows: `<row>${"<c><v>1</v></c>".repeat(1_000)}</row>`.repeat(1_900) }]),
  },
  {
    name: "long strings.xlsx",
    make: () =>
      xlsxOf(
        [{ name: "S", rows: '<row><c t="s"><v>0</v></c></row>' }],
        `<si><t>${prose(30_000)}</t></si>`.repeat(4_000),
      ),
  },
  { name: "shared.xlsb", make: xlsb },
  { name: "paragraphs.docx", make: () => docx(paragraph.repeat(100_000)) },
  {
    name: "one paragraph.docx",
    make: () => docx(`<w:p>${`<w:r><w:t>${prose(7_000_000)}</w:t></w:r>`.repeat(17)}</w:p>`),
  },
  {
    name: "one paragraph.odt",
    make: () => odt(`<text:p>${`<text:span>${prose(7_000_000)}</text:span>`.repeat(17)}</text:p>`),
  },
  {
    name: "one paragraph.pptx",
    make: () =>
      pptx(`<p:sp><p:txBody><a:p>${`<a:r><a:t>${prose(7_000_000)}</a:t></a:r>`.repeat(17)}</a:p></p:txBody></p:sp>`, 1),
  },
  { name: "empty runs.docx", make: () => docx(`<w:p>${"<w:r><w:tab/></w:r>".repeat(6_000_000)}</w:p>${paragraph}`) },
  {
    name: "table.docx",
    make: () => docx(`<w:tbl>${`<w:tr>${`<w:tc>${paragraph}</w:tc>`.repeat(3)}</w:tr>`.repeat(30_000)}</w:tbl>`),
  },
  { name: "shapes.pptx", make: () => pptx(shape.repeat(100), 900) },
  { name: "one slide.pptx", make: () => pptx(shape.repeat(80_000), 1) },
  { name: "blanks.odt", make: () => odt(`<text:p>a${'<text:s text:c="1000"/>'.repeat(1_000_000)}b</text:p>`) },
  { name: "words.odt", make: () => odt(`<text:p>${prose(1_000)}</text:p>`.repeat(100_000)) },
  { name: "chapters.epub", make: () => epub(`<html><body>${`<p>${prose(1_000)}</p>`.repeat(300)}</body></html>`, 700) },
  {
    name: "one chapter.epub",
    make: () => epub(`<html><body>${`<p>${prose(1_000)}</p>`.repeat(100_000)}</body></html>`, 1),
  },
  { name: "flat.html", make: () => Buffer.from(`<p>${"x<br>".repeat(megabyte / 5 - 10)}`) },
  { name: "indented.html", make: () => Buffer.from(`${"<ul>".repeat(10)}${"<li>x".repeat(megabyte / 5 - 20)}`) },
  {
    name: "header.html",
    make: () => Buffer.from(`<table><tr><th>${noise(900)}<th>b</tr>${"<tr><td>a".repeat(megabyte / 9 - 200)}</table>`),
  },
  { name: "header.csv", make: () => Buffer.from(`${noise(900)},name\n${"a,b\n".repeat(megabyte / 4 - 300)}`) },
  { name: "header.md", make: () => Buffer.from(`|${noise(900)}|b|\n|-|-|\n${"|a|\n".repeat(megabyte / 4 - 300)}`) },
  { name: "sections.md", make: () => Buffer.from(`# ${prose(300)}\n`.repeat(3_000)) },
  {
    name: "nested.json",
    make: () => Buffer.from(`${"[".repeat(900)}${"1,".repeat(megabyte / 2 - 1_000)}1${"]".repeat(900)}`),
  },
  { name: "flat.json", make: () => Buffer.from(`[${"[],".repeat(megabyte / 3 - 10)}1]`) },
  {
    name: "deep.xml",
    make: () => Buffer.from(`${"<a>".repeat(900)}${"<b/>".repeat(megabyte / 4 - 2_000)}${"</a>".repeat(900)}`),
  },
  { name: "text.txt", make: () => Buffer.from(noise(megabyte)) },
  { name: "ideographs.txt", make: () => Buffer.from("漢".repeat(megabyte / 3)) },
  { name: "bytes.txt", make: () => Buffer.from("\u{1f9d1}\u200d".repeat(megabyte / 7)) },
  { name: "latin1.txt", make: () => Buffer.alloc(megabyte, 0xe9) },
  { name: "text.rtf", make: () => Buffer.from(`{\\rtf1 ${"\\bullet ".repeat(megabyte / 8 - 10)}}`) },
  { name: "pages.pdf", make: () => pdf(4_900, page(500), "/Font <</F1 3 0 R>>", [stream("", "")]) },
  { name: "one page.pdf", make: () => pdf(1, page(90_000), "/Font <</F1 3 0 R>>", [stream("", "")]) },
  {
    name: "mapped.pdf",
    make: () =>
      pdf(400, page(500), "/Font <</F1 3 0 R>>", [
        stream(
          "",
          `begincmap 1 begincodespacerange <00> <ff> endcodespacerange ${Array.from({ length: 90 }, (_, i) => `1 beginbfchar <${(32 + i).toString(16)}> <${"00410042".repeat(120)}> endbfchar`).join("\n")} endcmap`,
        ),
      ]),
  },
  {
    name: "forms.pdf",
    make: () => {
      const forms = 9;
      const drawn = (i: number) => (i === forms ? page(100) : `/X${i + 1} Do\n`.repeat(10));
      const names = Array.from({ length: forms }, (_, i) => `/X${i + 1} ${6 + i} 0 R`).join(" ");
      return pdf(1, drawn(0), `/Font <</F1 3 0 R>> /XObject <<${names}>>`, [
        stream("", ""),
        ...Array.from({ length: forms }, (_, i) =>
          stream(
            `/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</Font <</F1 3 0 R>> /XObject <<${names}>>>>`,
            drawn(i + 1),
          ),
        ),
      ]);
    },
  },
  {
    name: "attached.eml",
    make: () => mail(Array.from({ length: 2 }, (_, i) => attachment(`${i}.docx`, docx(paragraph.repeat(100_000))))),
  },
  {
    name: "many attached.eml",
    make: () =>
      mail(Array.from({ length: 450 }, (_, i) => attachment(`${i}.ods`, ods(odsRow(100_000, 2, prose(30_000)))))),
  },
  {
    name: "attached.msg",
    make: () =>
      makeCompoundFile({
        ...properties({ "0037": "s", "1000": "t" }),
        ...numbers({}),
        "__attach_version1.0_#00000000": {
          ...properties({ "3707": "a.ods" }),
          "__substg1.0_37010102": ods(odsRow(1_000_000, 2, prose(30_000))),
          ...numbers({}, 8),
        },
      }),
  },
  {
    name: "text.msg",
    make: () => makeCompoundFile({ ...properties({ "0037": "s", "1000": noise(450_000) }), ...numbers({}) }),
  },
];
