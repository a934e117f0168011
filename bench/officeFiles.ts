import { makeZip } from "../test/formats/makeZip.js";

/** Documents that are zips of XML, with unformatted lines: each page is a paragraph, a slide or a chapter. */

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const relationships = (targets: Readonly<Record<string, readonly [type: string, target: string]>>) =>
  `<Relationships>${Object.entries(targets)
    .map(([id, [type, target]]) => `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`)
    .join("")}</Relationships>`;
const paragraphs = (pages: readonly string[][], open: string, close: string) =>
  pages.map((page) => `${open}${page.join(" ")}${close}`).join("");

export function makeDocx(pages: readonly string[][]): Buffer {
  const body = paragraphs(pages, "<w:p><w:r><w:t>", "</w:t></w:r></w:p>");
  return makeZip({
    "word/document.xml": `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
  });
}

export function makeOdt(pages: readonly string[][]): Buffer {
  const names = (name: string) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`;
  const body = paragraphs(pages, "<text:p>", "</text:p>");
  return makeZip({
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": `<office:document-content ${names("office")} ${names("text")}><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
  });
}

export function makePptx(pages: readonly string[][]): Buffer {
  const names = `xmlns:p="p" xmlns:a="a" xmlns:r="${office}"`;
  const ids = pages.map((_, i) => `<p:sldId id="${256 + i}" r:id="r${i}"/>`).join("");
  const slide = (page: string[]) =>
    `<p:sld ${names}><p:cSld><p:spTree><p:sp><p:txBody>${paragraphs([page], "<a:p><a:r><a:t>", "</a:t></a:r></a:p>")}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>`;
  return makeZip({
    "ppt/presentation.xml": `<p:presentation ${names}><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": relationships(
      Object.fromEntries(pages.map((_, i) => [`r${i}`, ["slide", `slides/slide${i}.xml`] as const])),
    ),
    ...Object.fromEntries(pages.map((page, i) => [`ppt/slides/slide${i}.xml`, slide(page)])),
  });
}

export function makeEpub(pages: readonly string[][]): Buffer {
  const items = pages.map((_, i) => `<item id="c${i}" href="${i}.xhtml" media-type="application/xhtml+xml"/>`).join("");
  const spine = pages.map((_, i) => `<itemref idref="c${i}"/>`).join("");
  return makeZip({
    mimetype: "application/epub+zip",
    "META-INF/container.xml": '<container><rootfiles><rootfile full-path="content.opf"/></rootfiles></container>',
    "content.opf": `<package><manifest>${items}</manifest><spine>${spine}</spine></package>`,
    ...Object.fromEntries(
      pages.map((page, i) => [
        `${i}.xhtml`,
        `<html xmlns="http://www.w3.org/1999/xhtml"><body>${paragraphs([page], "<p>", "</p>")}</body></html>`,
      ]),
    ),
  });
}

export function makeXlsx(rows: readonly (readonly [number, string])[]): Buffer {
  const cells = rows.map(([n, text]) => `<row><c><v>${n}</v></c><c t="inlineStr"><is><t>${text}</t></is></c></row>`);
  return makeZip({
    "xl/workbook.xml": `<workbook xmlns:r="${office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relationships({ r1: ["worksheet", "worksheets/s.xml"] }),
    "xl/worksheets/s.xml": `<worksheet><sheetData>${cells.join("")}</sheetData></worksheet>`,
  });
}
