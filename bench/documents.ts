import { createTexts } from "./data.js";
import { makeDocx, makeEpub, makeOdt, makePptx, makeXlsx } from "./officeFiles.js";

/** A generated document, the same in every run. */
export interface Document {
  format: string;
  name: string;
  pages: number;
  bytes: Buffer;
}

const linesPerPage = 40;

/** A line of about 75 characters of invented words. */
function lineWriter(): (n: number) => string {
  const texts = createTexts();
  return (n) => texts.content(n).slice(0, 75).trim();
}

/** One document of each format with the same text: pages of 40 lines, about 3,000 characters. */
export function makeDocuments(pages: number): Document[] {
  const line = lineWriter();
  const text = Array.from({ length: pages }, (_, page) =>
    Array.from({ length: linesPerPage }, (_, i) => line(page * linesPerPage + i)),
  );
  const each = (makers: Record<string, (text: string[][]) => Buffer | string>): Document[] =>
    Object.entries(makers).map(([format, make]) => ({
      format,
      name: `document.${format}`,
      pages,
      bytes: Buffer.from(make(text) as string),
    }));
  const paragraphs = (open: string, close: string) => (page: string[]) => `${open}${page.join(" ")}${close}`;
  const rows = text.flat().map((value, n) => ({ n, text: value, place: `page ${Math.floor(n / linesPerPage)}` }));
  return each({
    txt: (all) => all.map((page) => page.join("\n")).join("\n\n"),
    md: (all) => all.map((page, n) => `## Page ${n}\n\n${page.join("\n")}`).join("\n\n"),
    html: (all) =>
      `<html><body>${all.map((page, n) => `<h2>Page ${n}</h2><p>${page.join(" ")}</p>`).join("")}</body></html>`,
    csv: () => `n,text,place\n${rows.map((row) => `${row.n},${row.text},${row.place}`).join("\n")}`,
    json: () => JSON.stringify(rows),
    xml: (all) => `<pages>${all.map(paragraphs("<page>", "</page>")).join("")}</pages>`,
    rtf: (all) => `{\\rtf1\\ansi ${all.map(paragraphs("", "\\par ")).join("\n")}}`,
    eml: (all) =>
      `From: a@example.com\r\nSubject: pages\r\nContent-Type: text/plain\r\n\r\n${all.map((page) => page.join("\r\n")).join("\r\n\r\n")}`,
    docx: makeDocx,
    odt: makeOdt,
    pptx: makePptx,
    epub: makeEpub,
    xlsx: () => makeXlsx(rows.map((row) => [row.n, row.text])),
    pdf: makePdf,
  });
}

/** A text of lines, of at least this many bytes. */
export function* makeText(bytes: number): Generator<Buffer> {
  const line = lineWriter();
  // Lines repeat after a while, because inventing 256 MB of words takes minutes.
  const some = Array.from({ length: 20_000 }, (_, n) => line(n));
  for (let sent = 0, n = 0; sent < bytes;) {
    const lines = Array.from({ length: 1000 }, () => `${n++} ${some[(n * 7919) % some.length] ?? ""}`);
    const portion = Buffer.from(`${lines.join("\n")}\n\n`).subarray(0, bytes - sent);
    sent += portion.length;
    yield portion;
  }
}

/** One font, and one content stream per page, as printer drivers make them. */
function makePdf(pages: string[][]): Buffer {
  const objects = [
    "<</Type /Catalog /Pages 2 0 R>>",
    `<</Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(" ")}]>>`,
    "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    ...pages.flatMap((page, i) => {
      const stream = `BT /F1 10 Tf 12 TL 50 780 Td ${page.map((line) => `(${line}) Tj T*`).join("\n")} ET`;
      return [
        `<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources <</Font <</F1 3 0 R>>>> /Contents ${5 + 2 * i} 0 R>>`,
        `<</Length ${stream.length}>>\nstream\n${stream}\nendstream`,
      ];
    }),
  ];
  let text = "%PDF-1.4\n";
  const places = objects.map((object, i) => {
    const at = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const table = `xref\n0 ${places.length + 1}\n0000000000 65535 f \n${places.join("")}`;
  return Buffer.from(
    `${text}${table}trailer\n<</Size ${places.length + 1} /Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF\n`,
  );
}
