import { deflateSync } from "node:zlib";
import { makeMail } from "./makeMail.js";
import { makeZip } from "./makeZip.js";

/* What the documents that unfold are made of. */

export const megabyte = 2 ** 20;
/** Words, so that tokens are of the usual length. */
export const prose = (length: number) =>
  "Amplified words of a hostile document fill the disk. ".repeat(Math.ceil(length / 53)).slice(0, length);
/** Text that hardly compresses: what a format itself adds is measured. */
export function noise(length: number): string {
  let state = 1;
  let text = "";
  while (text.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

export const ods = (rows: string) =>
  makeZip({
    mimetype: "application/vnd.oasis.opendocument.spreadsheet",
    "content.xml": `<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet><table:table table:name="S">${rows}</table:table></office:spreadsheet></office:body></office:document-content>`,
  });
export const odsRow = (rows: number, columns: number, text: string) =>
  `<table:table-row table:number-rows-repeated="${rows}"><table:table-cell table:number-columns-repeated="${columns}"><text:p>${text}</text:p></table:table-cell></table:table-row>`;
export const odt = (body: string) =>
  makeZip({
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": `<office:document-content xmlns:office="o" xmlns:text="x"><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
  });
export const docx = (body: string, more: Record<string, string> = {}) =>
  makeZip({
    "word/document.xml": `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
    ...more,
  });
export const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
export const pptx = (slide: string, slides: number) => {
  const numbered = Array.from({ length: slides }, (_, i) => i + 1);
  return makeZip({
    "ppt/presentation.xml": `<p:presentation xmlns:p="p" xmlns:r="${office}"><p:sldIdLst>${numbered.map((i) => `<p:sldId id="${i}" r:id="r${i}"/>`).join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": `<Relationships>${numbered.map((i) => `<Relationship Id="r${i}" Type="${office}/slide" Target="slides/slide${i}.xml"/>`).join("")}</Relationships>`,
    ...Object.fromEntries(
      numbered.map((i) => [`ppt/slides/slide${i}.xml`, `<p:sld xmlns:p="p" xmlns:a="a">${slide}</p:sld>`]),
    ),
  });
};
export const epub = (chapter: string, chapters: number) => {
  const numbered = Array.from({ length: chapters }, (_, i) => i);
  return makeZip({
    mimetype: "application/epub+zip",
    "META-INF/container.xml": '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
    "a.opf": `<package><manifest>${numbered.map((i) => `<item id="i${i}" href="${i}.html" media-type="application/xhtml+xml"/>`).join("")}</manifest><spine>${numbered.map((i) => `<itemref idref="i${i}"/>`).join("")}</spine></package>`,
    ...Object.fromEntries(numbered.map((i) => [`${i}.html`, chapter])),
  });
};

/** A PDF of these pages' objects. @param more further objects, from number 5 */
export function pdf(pages: number, content: string, resources: string, more: string[] = []): Buffer {
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
export const stream = (dictionary: string, content: string) => {
  const packed = deflateSync(content, { level: 9 });
  return `<<${dictionary} /Filter /FlateDecode /Length ${packed.length}>>\nstream\n${packed.toString("latin1")}\nendstream`;
};
const line = (y: number) => `1 0 0 1 20 ${y} Tm (Amplified words of a hostile document) Tj\n`;
export const page = (lines: number) =>
  `BT /F1 8 Tf\n${Array.from({ length: lines }, (_, i) => line(790 - (i % 780))).join("")}ET`;

export const attachment = (name: string, bytes: Buffer) =>
  `Content-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes.toString("base64").replace(/.{76}/g, "$&\r\n")}`;
export const mail = (parts: string[]) => Buffer.from(makeMail(["From: a@b.c", "Subject: s"], parts));

export const paragraph = `<w:p><w:r><w:t>${prose(1_000)}</w:t></w:r></w:p>`;
export const shape = `<p:sp><p:txBody><a:p><a:r><a:t>${prose(1_000)}</a:t></a:r></a:p></p:txBody></p:sp>`;
