import type { Block } from "../words/document.js";
import { type BlockWriter, blockWriter } from "./blockWriter.js";
import { clean } from "./encoding.js";

const deepestIndent = 8;
/** Only pages made to fill the memory have a longer text, in characters, or row, in cells; both are cut here. */
const longestText = 1_048_576;
const longestRow = 10_000;

const names = (list: string) => new Set(list.split(" "));
const blockTags = names(
  "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer " +
    "form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav ol optgroup p plaintext pre " +
    "search section summary table tbody td tfoot th thead title tr ul xmp",
);
/** A browser does not show their text, or, as in a drawing, shows it in no reading order. */
const hiddenTags = names("script style template svg iframe noembed noframes");
const preTags = names("pre listing xmp plaintext");
const listTags = names("ul ol menu dir");
/** Separate from the text around them, but in its line. */
const boxTags = names("button input select textarea");
const rowEnds = names("tr thead tbody tfoot");

/** The state of reading a page. */
interface Page {
  /** Complete blocks; the caller takes them out. */
  readonly blocks: Block[];
  readonly writer: BlockWriter;
  /** Number of open tables, each inside the one before. */
  tables: number;
  /** Number of cells in the open row. */
  cells: number;
  /** The number of the next item of each open list; null for an unordered list. */
  readonly lists: { next: number | null }[];
  text: string;
  title: string;
  isInTitle: boolean;
  /** Level of the open heading; 0 means "not in a heading". */
  level: number;
  /** Goes before the next text, such as "- ". */
  marker: string;
  wasItem: boolean;
  isPre: boolean;
  /** Where in `text` the last link ended. */
  linkEnd: number;
  hidden: { name: string; depth: number } | null;
}

/** Receives a page's tags and text in order, and turns them into blocks. */
export interface PageReader {
  /** Complete blocks; the caller takes them out. */
  readonly blocks: Block[];
  /** The text of the title element, once it is complete; else "". */
  title: () => string;
  isInDrawing: () => boolean;
  open: (name: string, attributes: ReadonlyMap<string, string>) => void;
  close: (name: string) => void;
  text: (piece: string) => void;
  end: () => void;
}

/**
 * Reads tags one by one and builds no tree. The parser of htmlparser2 is not used either: it searches all open elements
 * at each closing tag, which takes quadratic time on a hostile page.
 */
export function pageReader(): PageReader {
  const blocks: Block[] = [];
  const page: Page = {
    blocks,
    writer: blockWriter((block) => blocks.push(block), {}),
    tables: 0,
    cells: 0,
    lists: [],
    text: "",
    title: "",
    isInTitle: false,
    level: 0,
    marker: "",
    wasItem: false,
    isPre: false,
    linkEnd: 0,
    hidden: null,
  };
  return {
    blocks,
    title: () => page.title,
    isInDrawing: () => page.hidden?.name === "svg",
    open: (name, attributes) => {
      if (page.hidden?.name === name) page.hidden.depth += 1;
      // As in a browser, an element that no drawing can contain ends a drawing that was not closed.
      else if (page.hidden?.name === "svg" && blockTags.has(name) && name !== "title") page.hidden = null;
      if (page.hidden !== null) return;
      if (hiddenTags.has(name) && !attributes.has("shadowrootmode")) page.hidden = { name, depth: 1 };
      else openElement(page, name, attributes);
    },
    close: (name) => {
      if (page.hidden === null) closeElement(page, name);
      else if (page.hidden.name === name) page.hidden.depth -= 1;
      if (page.hidden?.depth === 0) page.hidden = null;
    },
    text: (piece) => {
      if (page.hidden !== null) return;
      page.text += page.isPre ? piece : piece.replace(/[ \t\r\n\f\u00a0]+/g, " ");
      if (page.text.length > longestText) flush(page);
    },
    end: () => {
      flush(page);
      for (; page.tables > 0; page.tables -= 1) page.writer.closeTable();
    },
  };
}

function openElement(page: Page, name: string, attributes: ReadonlyMap<string, string>): void {
  if (blockTags.has(name)) endBlock(page, name, true);
  // Links without text between them are a menu, which a style sheet spaces out.
  if (boxTags.has(name) || (name === "a" && page.linkEnd > 0 && page.linkEnd === page.text.length)) page.text += " ";
  else if (preTags.has(name)) page.isPre = true;
  else if (listTags.has(name)) {
    page.lists.push({ next: name === "ol" ? Number(attributes.get("start") ?? 1) || 1 : null });
  } else if (name === "li") page.marker = markerOf(page.lists);
  else if (name === "title") page.isInTitle = true;
  else if (name === "br" || name === "option") page.text += "\n";
  else if (name === "img" || name === "area") page.text += ` ${attributes.get("alt") ?? ""} `;
  else if (/^h[1-6]$/.test(name)) page.level = Number(name.charAt(1));
  else openInTable(page, name);
}

function closeElement(page: Page, name: string): void {
  if (blockTags.has(name)) endBlock(page, name, false);
  if (name === "li" || listTags.has(name)) page.marker = "";
  if (boxTags.has(name)) page.text += " ";
  else if (name === "a") page.linkEnd = page.text.length;
  else if (preTags.has(name)) page.isPre = false;
  else if (listTags.has(name)) page.lists.pop();
  else if (name === "title") page.isInTitle = false;
  else if (/^h[1-6]$/.test(name)) page.level = 0;
  else if (name === "table" && page.tables > 0) {
    page.tables -= 1;
    page.writer.closeTable();
  } else if (rowEnds.has(name)) endRow(page);
}

function openInTable(page: Page, name: string): void {
  if (name === "table") {
    page.tables += 1;
    page.writer.openTable();
  } else if (name === "td" || name === "th") {
    if (page.cells >= longestRow) endRow(page);
    page.cells += 1;
    page.writer.openCell();
  } else if (rowEnds.has(name)) endRow(page);
}

function endRow(page: Page): void {
  page.cells = 0;
  page.writer.closeRow();
}

function endBlock(page: Page, name: string, isOpening: boolean): void {
  // Each line of preformatted text is often an element.
  if (page.isPre && (name === "div" || name === "li")) {
    if (page.text !== "" && !page.text.endsWith("\n")) page.text += "\n";
    return;
  }
  const hadText = flush(page);
  // A heading that was never closed ends where another block begins.
  if (hadText && isOpening) page.level = 0;
}

/** Writes the text so far as a block. @returns whether there was any */
function flush(page: Page): boolean {
  const content = page.isPre ? trimLines(clean(page.text)) : collapse(clean(page.text));
  page.text = "";
  page.linkEnd = 0;
  if (content === "") return false;
  const isItem = page.marker !== "";
  const tight = isItem && page.wasItem;
  const text = page.marker + content;
  if (page.isInTitle) page.title ||= content.replaceAll("\n", " ");
  else if (page.level > 0) page.writer.paragraph({ text: content, level: page.level });
  else if (page.tables > 0) page.writer.paragraph({ text, tight });
  // Not through the writer, which would trim the indentation of nested lists and of code.
  else page.blocks.push({ kind: "text", text, place: {}, ...(tight && { before: "\n" }) });
  page.wasItem = isItem;
  page.marker = "";
  return true;
}

function markerOf(lists: { next: number | null }[]): string {
  const indent = "  ".repeat(Math.min(Math.max(lists.length - 1, 0), deepestIndent));
  const list = lists.at(-1);
  if (list === undefined || list.next === null) return `${indent}- `;
  list.next += 1;
  return `${indent}${list.next - 1}. `;
}

/** Joins the spaces where pieces of text meet; line breaks come from <br>. */
function collapse(text: string): string {
  return text
    .replace(/ {2,}/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function trimLines(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/^(?:[ \t]*\n)+/, "")
    .trimEnd();
}
