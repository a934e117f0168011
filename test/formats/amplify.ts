import * as xlsx from "xlsx";
import { collected } from "./amplifyCollected.js";
import {
  attachment,
  docx,
  epub,
  mail,
  megabyte,
  noise,
  ods,
  odsRow,
  odt,
  page,
  paragraph,
  pdf,
  pptx,
  prose,
  shape,
  stream,
} from "./amplifyParts.js";
import { unfolding } from "./amplifyPdf.js";
import { makeCompoundFile, numbers, properties } from "./makeMail.js";
import { xlsxOf } from "./makeWorkbook.js";

/**
 * Documents of less than a megabyte that unfold as far as their format allows: compressed repetition, cells that stand
 * for millions, texts that are shared, headers that are repeated in every chunk.
 */
export interface Bomb {
  name: string;
  make: () => Buffer;
}

/** The writer of .xls repeats shared texts, so only .xlsb unfolds. */
const xlsb = () => {
  const book = xlsx.utils.book_new();
  const row = Array.from({ length: 50 }, () => prose(30_000));
  xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(Array.from({ length: 200 }, () => row)), "S");
  return xlsx.write(book, { type: "buffer", bookType: "xlsb", bookSST: true, compression: true }) as Buffer;
};

export const bombs: readonly Bomb[] = [
  ...collected,
  ...unfolding,
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
