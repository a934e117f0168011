import { brotliCompressSync, constants, deflateSync } from "node:zlib";
import { prose, stream } from "./amplifyParts.js";

/* PDF files that unfold: streams that are longer than their file, and numbers that stand for millions of elements. */

const packed = (content: string | Buffer) => deflateSync(content, { level: 9 });
const brotli = (content: string) => brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
const encoded = (filters: string, bytes: Buffer, about = "") =>
  `<<${about} /Filter [${filters}] /Length ${bytes.length}>>\nstream\n${bytes.toString("latin1")}\nendstream`;
const length = 100_000_000;
const many = "a".repeat(length);
const shown = (text: string) => `BT /F1 8 Tf 20 700 Td (${text}) Tj ET`;

interface Parts {
  content?: string;
  contents?: string;
  font?: string;
  fonts?: string;
  xobjects?: string;
  pages?: string;
  /** Objects from number 6. */
  more?: string[];
  end?: string;
}
function pdf({
  content = stream("", shown("short")),
  contents = "5 0 R",
  font = "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
  fonts = "",
  xobjects = "",
  pages = "/Kids [4 0 R] /Count 1",
  more = [],
  end = "trailer\n<</Root 1 0 R>>\nstartxref\n999999\n%%EOF\n",
}: Parts): Buffer {
  const objects = [
    "<</Type /Catalog /Pages 2 0 R>>",
    `<</Type /Pages ${pages} /MediaBox [0 0 600 800]>>`,
    font,
    `<</Type /Page /Parent 2 0 R /Contents ${contents} /Resources <</Font <</F1 3 0 R ${fonts}>> /XObject <<${xobjects}>>>>>>`,
    content,
    ...more,
  ];
  const text = objects.map((object, i) => `${i + 1} 0 obj\n${object}\nendobj\n`).join("");
  return Buffer.from(`%PDF-1.7\n${text}${end}`, "latin1");
}
const content = (text: string) => pdf({ content: stream("", text) });

/** A file with a stream of cross-references. @param rows of one, three and one bytes by default */
function withReferences(parts: Parts, rows: Buffer, about: string): Buffer {
  const body = pdf({ ...parts, end: "" });
  const table = packed(rows);
  return Buffer.concat([
    body,
    Buffer.from(
      `99 0 obj\n<</Type /XRef /Root 1 0 R ${about} /Filter /FlateDecode /Length ${table.length}>>\nstream\n`,
    ),
    table,
    Buffer.from(`\nendstream\nendobj\nstartxref\n${body.length}\n%%EOF\n`),
  ]);
}
/** A file whose page tree refers to object 10, which is in a stream of objects. */
function inObjectStream(object: string, count = 1): Buffer {
  const first = "10 0 ";
  const parts = {
    pages: "/Kids [4 0 R 10 0 R] /Count 2",
    more: [stream(`/Type /ObjStm /N ${count} /First ${first.length}`, `${first}${object}`)],
  };
  const text = pdf({ ...parts, end: "" }).toString("latin1");
  const rows = Buffer.alloc(5 * 11);
  for (let i = 1; i <= 6; i += 1) {
    rows[5 * i] = 1;
    rows.writeUIntBE(text.indexOf(`\n${i} 0 obj`) + 1, 5 * i + 1, 3);
  }
  rows.set([2, 0, 0, 6, 0], 50);
  return withReferences(parts, rows, "/W [1 3 1] /Size 11");
}

const toUnicode = (map: string) =>
  pdf({ font: "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R>>", more: [map] });
/** A font of characters of two bytes. */
const composite = (about: string, encoding = "/Identity-H") =>
  `<</Type /Font /Subtype /Type0 /BaseFont /A /Encoding ${encoding} /DescendantFonts [<</Type /Font ` +
  `/Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> ` +
  `/FontDescriptor <</Type /FontDescriptor /FontName /A /Flags 4>> ${about}>>]>>`;
const fontFile = (name: string, file: number) =>
  `<</Type /Font /Subtype /TrueType /BaseFont /${name} /FontDescriptor <</Type /FontDescriptor /FontName /${name} ` +
  `/Flags 4 /FontFile2 ${file} 0 R>>>>`;
const form = (text: string, inner = "") =>
  stream(
    `/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources <</Font <</F1 3 0 R>> /XObject <<${inner}>>>>`,
    text,
  );

/** A shown string in the run-length encoding of the format: 128 bytes in two. */
function runs(size: number): Buffer {
  const [start, end] = [Buffer.from(shown("")).subarray(0, -7), Buffer.from(") Tj ET")];
  const run = Buffer.alloc((size / 128) * 2, Buffer.from([129, 0x61]));
  return Buffer.concat([[start.length - 1], start, run, [end.length - 1], end, [128]].map((each) => Buffer.from(each)));
}
/** Forms that draw each other. @param text of each, before it draws the next one */
const nested = (count: number, text: string, last = text) =>
  pdf({
    content: stream("", "/X6 Do"),
    xobjects: "/X6 6 0 R",
    more: Array.from({ length: count }, (_, i) =>
      i === count - 1 ? form(last) : form(`${text} /X${i + 7} Do`, `/X${i + 7} ${i + 7} 0 R`),
    ),
  });
const dictionaries = `[${"<<>>".repeat(900_000)}] TJ `;

export const unfolding: readonly { name: string; make: () => Buffer }[] = [
  { name: "one string.pdf", make: () => content(shown(many)) },
  { name: "one million.pdf", make: () => content(`${shown("a".repeat(999_999))}\n`.repeat(15)) },
  {
    name: "one line.pdf",
    make: () => content(`BT /F1 0.00001 Tf 20 700 Td ${`(${prose(500_000)}) Tj `.repeat(30)}ET`),
  },
  { name: "hex.pdf", make: () => content(`BT /F1 8 Tf <${"6".repeat(length)}> Tj ET`) },
  { name: "array.pdf", make: () => content(`BT /F1 8 Tf [${"(a)1 ".repeat(20_000_000)}] TJ ET`) },
  { name: "numbers.pdf", make: () => content(`BT /F1 8 Tf [${"1 ".repeat(8_000_000)}] TJ ET`) },
  { name: "dictionaries.pdf", make: () => content(`${dictionaries}%${"a".repeat(10_000_000)}`) },
  { name: "states.pdf", make: () => content("q ".repeat(50_000_000)) },
  { name: "paths.pdf", make: () => content(`${"0 0 m 1 1 l S\n".repeat(7_000_000)}${shown("a")}`) },
  { name: "comment.pdf", make: () => content(`%${many}\n${shown("a")}`) },
  { name: "name.pdf", make: () => content(`/${many} gs`) },
  { name: "inline.pdf", make: () => content(`BI /W 1 /H 1 ID ${many} EI ${shown("a")}`) },
  { name: "prose.pdf", make: () => content(`BT /F1 8 Tf 20 700 Td ${`(${prose(30_000)}) Tj\n`.repeat(3_000)}ET`) },
  {
    name: "names.pdf",
    make: () => {
      const names = Array.from({ length: 1_500_000 }, (_, i) => `/${i} gs\n`).join("");
      return pdf({ content: encoded("/FlateDecode /FlateDecode", packed(packed(names))) });
    },
  },
  {
    name: "one form.pdf",
    make: () => pdf({ content: stream("", "/X Do"), xobjects: "/X 6 0 R", more: [form(shown(many))] }),
  },
  { name: "nested forms.pdf", make: () => nested(60, `%${"a".repeat(10_000_000)}\n`) },
  { name: "forms and dictionaries.pdf", make: () => nested(5, `%${"a".repeat(4_000_000)}\n`, dictionaries) },
  {
    name: "contents.pdf",
    make: () => pdf({ contents: `[${"6 0 R ".repeat(5_000)}]`, more: [stream("", `%${"a".repeat(1_000_000)}\n`)] }),
  },
  {
    name: "packed twice.pdf",
    make: () => pdf({ content: encoded("/FlateDecode /FlateDecode", packed(packed(shown(many)))) }),
  },
  { name: "runs.pdf", make: () => pdf({ content: encoded("/RunLengthDecode", runs(60_000_000)) }) },
  {
    name: "hex of runs.pdf",
    make: () => {
      const hex = Buffer.from(`${runs(300_000_000).toString("hex")}>`);
      return pdf({ content: encoded("/FlateDecode /ASCIIHexDecode /RunLengthDecode", packed(hex)) });
    },
  },
  {
    name: "zeros.pdf",
    make: () => pdf({ content: encoded("/FlateDecode /ASCII85Decode", packed(`${"z".repeat(length)}~>`)) }),
  },
  {
    name: "brotli.pdf",
    make: () => pdf({ content: encoded("/BrotliDecode", brotli(shown(many))) }),
  },
  {
    name: "predicted.pdf",
    make: () =>
      pdf({
        content: encoded("/FlateDecode", packed(Buffer.alloc(length)), "/DecodeParms [<</Predictor 12 /Columns 100>>]"),
      }),
  },
  {
    name: "fax.pdf",
    make: () =>
      toUnicode(encoded("/CCITTFaxDecode", Buffer.alloc(100_000, 0x11), "/DecodeParms [<</K -1 /Columns 100000000>>]")),
  },
  {
    name: "characters.pdf",
    make: () => toUnicode(stream("", `begincmap ${"1 beginbfchar <41> <0041> endbfchar\n".repeat(2_800_000)}endcmap`)),
  },
  {
    name: "long character.pdf",
    make: () => toUnicode(stream("", `begincmap 1 beginbfchar <41> <${"0041".repeat(25_000_000)}> endbfchar endcmap`)),
  },
  {
    name: "range of characters.pdf",
    make: () => toUnicode(stream("", "begincmap 1 beginbfrange <000000> <fffffe> <0041> endbfrange endcmap")),
  },
  {
    name: "ranges of characters.pdf",
    make: () => {
      const ranges = Array.from({ length: 500 }, (_, i) => {
        const high = (i + 256).toString(16).padStart(4, "0");
        return `1 beginbfrange <${high}0000> <${high}ffff> <0041> endbfrange\n`;
      });
      return toUnicode(stream("", `begincmap ${ranges.join("")}endcmap`));
    },
  },
  {
    name: "far character.pdf",
    make: () => toUnicode(stream("", "begincmap 1 beginbfchar <01fffff0> <0041> endbfchar endcmap")),
  },
  { name: "number of objects.pdf", make: () => inObjectStream("[]", 30_000_000) },
  { name: "objects.pdf", make: () => inObjectStream(`[${"1 ".repeat(50_000_000)}]`) },
  { name: "widths.pdf", make: () => pdf({ font: composite("/W [0 2000000000 500]") }) },
  { name: "last character.pdf", make: () => pdf({ font: composite("/LastChar 2000000000") }) },
  {
    name: "encoding.pdf",
    make: () =>
      pdf({
        font: composite("", "6 0 R"),
        more: [stream("/Type /CMap", "begincmap 1 begincidrange <000000> <fffffe> 1 endcidrange endcmap")],
      }),
  },
  {
    name: "glyphs.pdf",
    make: () => pdf({ font: composite("/CIDToGIDMap 6 0 R"), more: [stream("", "a".repeat(15_000_000))] }),
  },
  {
    name: "font.pdf",
    make: () => pdf({ font: fontFile("A", 6), more: [stream("", many)] }),
  },
  {
    name: "fonts.pdf",
    make: () => {
      const fonts = Array.from({ length: 60 }, (_, i) => i + 6);
      return pdf({
        content: stream("", fonts.map((i) => `BT /G${i} 8 Tf (a) Tj ET`).join("\n")),
        fonts: fonts.map((i) => `/G${i} ${fontFile(`A${i}`, i)}`).join(" "),
        more: fonts.map((i) => stream("", `${i}${"a".repeat(10_000_000)}`)),
      });
    },
  },
  {
    name: "references.pdf",
    make: () => withReferences({}, Buffer.alloc(length, 1), "/W [1 2 1] /Size 25000000"),
  },
  {
    name: "references of no bytes.pdf",
    make: () => withReferences({}, Buffer.from("1"), "/W [0 0 0] /Size 2000000000"),
  },
];
