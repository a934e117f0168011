import { readFile } from "node:fs/promises";
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { type Block, DocumentError } from "../words/document.js";
import { decodeText } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { type PageReader, pageReader } from "./htmlPage.js";

/** In bytes; the page is held in memory as a whole. */
const largest = 67_108_864;
/** In characters; blocks are yielded after each piece. */
const pieceSize = 65_536;
/** In characters; a main heading after this is not compared with the page's title. */
const titleWindow = 1_048_576;

/**
 * Reads a page as a browser shows it, with navigation and footer, because no rule finds a page's main text safely.
 * @throws DocumentError when the page is larger than 64 MB or has no text
 */
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

/**
 * Yields the headings, paragraphs, list items and table rows of a page or of a part of one; nothing if it has no text.
 * The page's title comes first, unless the main heading says the same.
 */
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

function callbacksOf(html: string, page: PageReader): TokenizerCallbacks {
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
