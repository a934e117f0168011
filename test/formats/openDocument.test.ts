import { describe, expect, test } from "@jest/globals";
import { type Block, DocumentError } from "../../src/words/document.js";
import { readOpenDocument } from "../../src/formats/openDocument.js";
import { makeZip } from "./makeZip.js";
import { readBytes } from "./readBytes.js";

const namespaces = ["office", "text", "table", "draw", "presentation", "style", "svg", "dc", "manifest"]
  .map((name) => `xmlns:${name}="${name}"`)
  .join(" ");

function content(body: string): string {
  return `<office:document-content ${namespaces}><office:body>${body}</office:body></office:document-content>`;
}

function read(body: string, more: Record<string, string> = {}): Promise<Block[]> {
  return readBytes(readOpenDocument, makeZip({ "content.xml": content(body), ...more }), "a.odt");
}

async function texts(body: string, more?: Record<string, string>): Promise<string[]> {
  return (await read(`<office:text>${body}</office:text>`, more)).map(({ text }) => text);
}

describe("texts", () => {
  test("have headings, paragraphs and lists", async () => {
    const item = (text: string) => `<text:list-item><text:p>${text}</text:p></text:list-item>`;
    const body = `<text:h text:outline-level="2">Head</text:h><text:p>before</text:p><text:p/>
      <text:list>${item("a")}${item("b")}</text:list><text:p>after</text:p>`;
    expect(await read(`<office:text>${body}</office:text>`)).toEqual([
      { kind: "heading", level: 2, text: "Head", place: {} },
      { kind: "text", text: "before", place: {} },
      { kind: "text", text: "- a", place: {} },
      { kind: "text", text: "- b", place: {}, before: "\n" },
      { kind: "text", text: "after", place: {} },
    ]);
  });

  test("have the format's spaces, tabs and breaks", async () => {
    const body = `<text:p>one\n    two<text:s text:c="3"/>three<text:tab/><text:span>four</text:span><text:line-break/>five<text:s text:c="-9"/></text:p>`;
    expect(await texts(body)).toEqual(["one two   three\tfour\nfive"]);
  });

  test("leave out deletions, ruby text and descriptions", async () => {
    const body = `<text:tracked-changes><text:deletion><text:p>gone</text:p></text:deletion></text:tracked-changes>
      <text:p><text:ruby><text:ruby-base>漢</text:ruby-base><text:ruby-text>kan</text:ruby-text></text:ruby><draw:frame><svg:title>picture</svg:title></draw:frame>字</text:p>`;
    expect(await texts(body)).toEqual(["漢字"]);
  });

  test("have notes, comments and text boxes after their paragraphs", async () => {
    const note = (kind: string, text: string) =>
      `<text:note text:note-class="${kind}"><text:note-citation>1</text:note-citation><text:note-body><text:p>${text}</text:p></text:note-body></text:note>`;
    const comment = `<office:annotation><dc:creator>Ann</dc:creator><text:p>Really?</text:p><text:p>Yes.</text:p></office:annotation>`;
    const box = `<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>`;
    const body = `<text:h>He${note("footnote", "foot")}ad</text:h><text:p>a${comment}b${note("endnote", "end")}c${box}</text:p><text:p>d</text:p>`;
    expect(await texts(body)).toEqual([
      "Head",
      "Footnote: foot",
      "abc",
      "Comment: Really?",
      "Yes.",
      "Endnote: end",
      "box",
      "d",
    ]);
  });

  test("have tables as rows", async () => {
    const row = (...cells: string[]) =>
      `<table:table-row>${cells.map((cell) => `<table:table-cell><text:p>${cell}</text:p></table:table-cell>`).join("")}</table:table-row>`;
    const body = `<table:table><table:table-header-rows>${row("A", "B")}</table:table-header-rows>${row("1", "2")}</table:table>`;
    expect(await read(`<office:text>${body}</office:text>`)).toEqual([
      { kind: "row", text: "A | B", header: null, place: {} },
      { kind: "row", text: "1 | 2", header: "A | B", place: {} },
    ]);
  });

  test("have headers and footers, equal ones once", async () => {
    const styles = `<office:document-styles ${namespaces}><style:style style:name="x"/><style:master-page>
      <style:header><text:p>Company</text:p></style:header><style:header-left><text:p>Company</text:p></style:header-left>
      <style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer></style:master-page></office:document-styles>`;
    expect(await texts("<text:p>body</text:p>", { "styles.xml": styles })).toEqual(["Company", "Page 1", "body"]);
  });
});

describe("presentations", () => {
  test("have slides with titles, text and notes", async () => {
    const frame = (role: string, text: string) =>
      `<draw:frame presentation:class="${role}"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
    const first = `<draw:page>${frame("title", "First")}${frame("outline", "point")}${frame("page-number", "1")}
      <draw:custom-shape><text:p>shape</text:p></draw:custom-shape>
      <presentation:notes><draw:page-thumbnail/>${frame("notes", "Say this.")}</presentation:notes></draw:page>`;
    const second = `<draw:page><draw:g>${frame("", "grouped")}</draw:g></draw:page>`;
    expect(await read(`<office:presentation>${first}${second}</office:presentation>`)).toEqual([
      { kind: "heading", level: 1, text: "First", place: { slide: 1 } },
      { kind: "text", text: "point", place: { slide: 1 } },
      { kind: "text", text: "shape", place: { slide: 1 } },
      { kind: "text", text: "Notes: Say this.", place: { slide: 1 } },
      { kind: "text", text: "grouped", place: { slide: 2 } },
    ]);
  });
});

describe("damaged documents", () => {
  const manifest = (more: string) =>
    `<manifest:manifest ${namespaces}><manifest:file-entry>${more}</manifest:file-entry></manifest:manifest>`;

  test.each<[string, Record<string, string>, string]>([
    ["without content", { mimetype: "application/vnd.oasis.opendocument.text" }, "it lacks content.xml"],
    [
      "with a password",
      { "content.xml": "\u0001\u0002", "META-INF/manifest.xml": manifest("<manifest:encryption-data/>") },
      "password",
    ],
    ["with a password of LibreOffice 24", { "encrypted-package": "\u0001" }, "password"],
    ["with entities", { "content.xml": `<!DOCTYPE a [<!ENTITY x "y">]>${content("&x;")}` }, "entities"],
  ])("are refused %s", async (_, parts, message) => {
    const reading = readBytes(readOpenDocument, makeZip(parts), "a.odt");
    await expect(reading).rejects.toBeInstanceOf(DocumentError);
    await expect(reading).rejects.toThrow(message);
  });

  test("without encryption may have a manifest too", async () => {
    expect(await texts("<text:p>a</text:p>", { "META-INF/manifest.xml": manifest("") })).toEqual(["a"]);
  });
});
