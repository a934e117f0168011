import { readFile } from "node:fs/promises";
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { type Block, DocumentError } from "../words/document.js";
import { blockWriter } from "./blockWriter.js";
import { clean, decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";

/** In bytes: a page is held as a whole. */
const largest = 67_108_864;
/** In characters: blocks are given out between these. */
const pieceSize = 65_536;
/** A main heading that comes later than this is not compared with the page's title; in characters. */
const titleWindow = 1_048_576;
const deepestIndent = 8;
/** What is longer, in characters or cells, is cut: only pages made to fill the memory have it. */
const longestText = 1_048_576;
const longestRow = 10_000;

const names = (list: string) => new Set(list.split(" "));
const blockTags = names(
  "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer " +
    "form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li listing main menu nav ol optgroup p plaintext pre " +
    "search section summary table tbody td tfoot th thead title tr ul xmp",
);
/** Not shown by a browser, or, as the words of a drawing, without order. */
const hiddenTags = names("script style template svg iframe noembed noframes");
const preTags = names("pre listing xmp plaintext");
const listTags = names("ul ol menu dir");
/** Stand apart from the text around them, in its line. */
const boxTags = names("button input select textarea");
const rowEnds = names("tr thead tbody tfoot");

/** A page as a browser shows it, navigation and footers included: what of a page is its main text cannot be told safely. */
export const readHtml: ReadFormat = async function* ({ path, size }) {
  if (size > largest)
    throw new DocumentError("invalid_file", "The page is larger than 64 MB. Split it into several files.");
  const html = decodeText(await readFile(path), { markup: true });
  let isEmpty = true;
  for (const block of blocksOfHtml(html)) {
    isEmpty = false;
    yield block;
  }
  if (isEmpty) throw new DocumentError("invalid_file", html === "" ? "The file is empty." : "The page has no text.");
};

/** Headings, paragraphs, list items and rows of a page or a part of one; none if it has no text. */
export function* blocksOfHtml(html: string): Generator<Block> {
  const page = pageReader();
  const tokenizer = new Tokenizer({}, callbacksOf(html, page));
  let isTitled = false;
  for (let at = 0; at <= html.length; at += pieceSize) {
    const isEnd = at + pieceSize > html.length;
    tokenizer.write(html.slice(at, at + pieceSize));
    if (isEnd) tokenizer.end();
    if (!isTitled) {
      const main = page.blocks.find((block) => block.kind === "heading" && block.level === 1);
      if (main === undefined && at < titleWindow && !isEnd) continue;
      isTitled = true;
      const title = page.title();
      if (title !== "" && title !== main?.text) yield { kind: "heading", level: 1, text: title, place: {} };
    }
    yield* page.blocks.splice(0);
  }
}

/**
 * Works on the tags as they come, without a tree of elements, and without the package's parser, which searches all open
 * elements for each tag that closes: its time grows with the square of a hostile page's length.
 */
function pageReader() {
  const blocks: Block[] = [];
  const writer = blockWriter((block) => blocks.push(block), {});
  /** Tables that are open, within each other. */
  let tables = 0;
  /** Of the row that is being read. */
  let cells = 0;
  /** The number of the next item; null where items have none. */
  const lists: { next: number | null }[] = [];
  let text = "";
  let title = "";
  let isInTitle = false;
  /** Of the heading that is being read; 0 outside of headings. */
  let level = 0;
  /** What stands before the next text: "- ". */
  let marker = "";
  let wasItem = false;
  let isPre = false;
  /** Where in the text the last link ended. */
  let linkEnd = 0;
  let hidden: { name: string; depth: number } | null = null;

  /** Ends the text so far. Says whether there was some. */
  const flush = () => {
    const content = isPre ? trimLines(clean(text)) : collapse(clean(text));
    text = "";
    linkEnd = 0;
    if (content === "") return false;
    const isItem = marker !== "";
    const tight = isItem && wasItem;
    if (isInTitle) title ||= content.replaceAll("\n", " ");
    else if (level > 0) writer.paragraph({ text: content, level });
    else if (tables > 0) writer.paragraph({ text: marker + content, tight });
    // Here, the spaces it begins with are those of a list within a list, or of code.
    else blocks.push({ kind: "text", text: marker + content, place: {}, ...(tight && { before: "\n" }) });
    wasItem = isItem;
    marker = "";
    return true;
  };
  const endBlock = (name: string, isOpening: boolean) => {
    // Lines of preformatted text are often elements of their own.
    if (isPre && (name === "div" || name === "li")) {
      if (text !== "" && !text.endsWith("\n")) text += "\n";
    } else if (flush() && isOpening) level = 0; // A heading that nobody closed ends where another block begins.
  };
  const endRow = () => {
    cells = 0;
    writer.closeRow();
  };
  const openInTable = (name: string) => {
    if (name === "table") {
      tables += 1;
      writer.openTable();
    } else if (name === "td" || name === "th") {
      if (cells >= longestRow) endRow();
      cells += 1;
      writer.openCell();
    } else if (rowEnds.has(name)) endRow();
  };
  const closeInTable = (name: string) => {
    if (name === "table" && tables > 0) {
      tables -= 1;
      writer.closeTable();
    } else if (rowEnds.has(name)) endRow();
  };
  const open = (name: string, attributes: Map<string, string>) => {
    if (blockTags.has(name)) endBlock(name, true);
    // Links in a row are a menu, whose style sheet parts them.
    if (boxTags.has(name) || (name === "a" && linkEnd > 0 && linkEnd === text.length)) text += " ";
    else if (preTags.has(name)) isPre = true;
    else if (listTags.has(name)) lists.push({ next: name === "ol" ? Number(attributes.get("start") ?? 1) || 1 : null });
    else if (name === "li") marker = markerOf(lists);
    else if (name === "title") isInTitle = true;
    else if (name === "br" || name === "option") text += "\n";
    else if (name === "img" || name === "area") text += ` ${attributes.get("alt") ?? ""} `;
    else if (/^h[1-6]$/.test(name)) level = Number(name.charAt(1));
    else openInTable(name);
  };
  const close = (name: string) => {
    if (blockTags.has(name)) endBlock(name, false);
    if (name === "li" || listTags.has(name)) marker = "";
    if (boxTags.has(name)) text += " ";
    else if (name === "a") linkEnd = text.length;
    else if (preTags.has(name)) isPre = false;
    else if (listTags.has(name)) lists.pop();
    else if (name === "title") isInTitle = false;
    else if (/^h[1-6]$/.test(name)) level = 0;
    else closeInTable(name);
  };

  return {
    /** Those that are complete; who reads them takes them off. */
    blocks,
    title: () => title,
    isInDrawing: () => hidden?.name === "svg",
    open: (name: string, attributes: Map<string, string>): void => {
      if (hidden?.name === name) hidden.depth += 1;
      // As in a browser, what can be in no drawing ends one that is not closed.
      else if (hidden?.name === "svg" && blockTags.has(name) && name !== "title") hidden = null;
      if (hidden !== null) return;
      if (hiddenTags.has(name) && !attributes.has("shadowrootmode")) hidden = { name, depth: 1 };
      else open(name, attributes);
    },
    close: (name: string): void => {
      if (hidden === null) close(name);
      else if (hidden.name === name) hidden.depth -= 1;
      if (hidden?.depth === 0) hidden = null;
    },
    text: (piece: string): void => {
      if (hidden !== null) return;
      text += isPre ? piece : piece.replace(/[ \t\r\n\f\u00a0]+/g, " ");
      if (text.length > longestText) flush();
    },
    end: (): void => {
      flush();
      for (; tables > 0; tables -= 1) writer.closeTable();
    },
  };
}

function markerOf(lists: { next: number | null }[]): string {
  const indent = "  ".repeat(Math.min(Math.max(lists.length - 1, 0), deepestIndent));
  const list = lists.at(-1);
  if (list === undefined || list.next === null) return `${indent}- `;
  list.next += 1;
  return `${indent}${list.next - 1}. `;
}

/** Spaces were made one in each piece of text; line breaks are <br>s. */
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

function callbacksOf(html: string, page: ReturnType<typeof pageReader>): TokenizerCallbacks {
  const nothing = () => undefined;
  const nameOf = (start: number, end: number) => html.slice(start, end).toLowerCase();
  let [tag, attribute, value] = ["", "", ""];
  let attributes = new Map<string, string>();
  return {
    onopentagname: (start, end) => {
      tag = nameOf(start, end);
      attributes = new Map();
    },
    onattribname: (start, end) => {
      attribute = nameOf(start, end);
      value = "";
    },
    onattribdata: (start, end) => {
      value += html.slice(start, end);
    },
    onattribentity: (code) => {
      value += String.fromCodePoint(code);
    },
    onattribend: () => {
      attributes.set(attribute, value);
    },
    onopentagend: () => {
      page.open(tag, attributes);
    },
    onselfclosingtag: () => {
      page.open(tag, attributes);
      if (page.isInDrawing()) page.close(tag);
    },
    onclosetag: (start, end) => {
      page.close(nameOf(start, end));
    },
    ontext: (start, end) => {
      page.text(html.slice(start, end));
    },
    ontextentity: (code) => {
      page.text(String.fromCodePoint(code));
    },
    isInForeignContext: page.isInDrawing,
    onend: page.end,
    oncdata: nothing,
    oncomment: nothing,
    ondeclaration: nothing,
    onprocessinginstruction: nothing,
  };
}
