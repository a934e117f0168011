import { readDocx } from "../../src/formats/docx.js";
import type { Block } from "../../src/words/document.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** A part of a Word document. @param root its root element, without the prefix */
export function part(root: string, content: string, namespace = word): string {
  return `<?xml version="1.0" encoding="UTF-8"?><w:${root} xmlns:w="${namespace}" xmlns:r="${office}" xmlns:mc="mc">${content}</w:${root}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** A paragraph. @param properties XML inside its w:pPr */
export function p(text: string, properties = ""): string {
  return `<w:p><w:pPr>${properties}</w:pPr><w:r><w:t xml:space="preserve">${escaped(text)}</w:t></w:r></w:p>`;
}

/** A table, by the texts or the XML of its cells. */
export function table(...rows: string[][]): string {
  const cells = (row: string[]) => row.map((cell) => `<w:tc>${cell.startsWith("<") ? cell : p(cell)}</w:tc>`).join("");
  return `<w:tbl>${rows.map((row) => `<w:tr>${cells(row)}</w:tr>`).join("")}</w:tbl>`;
}

/** A Word document. @param parts its other parts, by type; a type may be followed by a number */
export function docx(body: string, parts: Record<string, string> = {}): Buffer {
  const links = Object.keys(parts).map(
    (name, i) =>
      `<Relationship Id="r${i}" Type="${office}/${name.replace(/\d+$/, "")}" Target="${i === 0 ? "/word/" : ""}${name}.xml"/>`,
  );
  return makeZip({
    "word/document.xml": part("document", `<w:body>${body}</w:body>`),
    "word/_rels/document.xml.rels": `<Relationships>${links.join("")}</Relationships>`,
    ...Object.fromEntries(Object.entries(parts).map(([name, content]) => [`word/${name}.xml`, content])),
  });
}

/** The blocks of a Word document with this body. */
export function read(body: string, parts?: Record<string, string>): Promise<Block[]> {
  return readBytes(readDocx, docx(body, parts), "a.docx");
}

/** The texts of a Word document with this body, block by block. */
export async function texts(body: string, parts?: Record<string, string>): Promise<string[]> {
  return (await read(body, parts)).map(({ text }) => text);
}
