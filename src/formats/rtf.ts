import { readFile } from "node:fs/promises";
import { type Block, DocumentError } from "../words/document.js";
import { blockWriter } from "./blockWriter.js";
import { decodeAs } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { noText } from "./text.js";

/** In bytes: a document is held as a whole, most of it pictures. */
const largest = 67_108_864;
const deepest = 1_000;
/** A longer paragraph is cut: only documents made to fill the memory have it. In characters. */
const longestText = 1_048_576;

/** A control word with its number and the space that ends it, a byte, a control symbol, a bracket, or text. */
const tokens = /\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([\da-fA-F]{2})|([^]?))|[{}]|[^\\{}]+/;

const names = (list: string) => new Set(list.split(" "));
/** Groups without text of the document. */
const skippedGroups = names(
  "colortbl stylesheet info pict objdata filetbl listtable listoverridetable revtbl rsidtbl generator xmlnstbl themedata " +
    "colorschememapping datastore latentstyles pgptbl sp nonshppict pnseclvl mmathPr xe tc",
);
/** `\*` marks groups that readers may skip if they do not know them; these have text. */
const knownGroups = names("shpinst annotation");
/** They stand within a paragraph, but are read on their own. */
const noteGroups = names("footnote annotation shptxt header headerl headerr headerf footer footerl footerr footerf");
const bulletGroups = names("listtext pntext");

const symbols = new Map([
  ["tab", "\t"],
  ["line", "\n"],
  ["lquote", "‘"],
  ["rquote", "’"],
  ["ldblquote", "“"],
  ["rdblquote", "”"],
  ["endash", "–"],
  ["emdash", "—"],
  ["bullet", "•"],
  ["enspace", " "],
  ["emspace", " "],
  ["qmspace", " "],
  ["~", " "],
  ["_", "-"],
  ["\\", "\\"],
  ["{", "{"],
  ["}", "}"],
]);

/** Windows' code pages of the character sets that a font may have (\fcharset). */
const codePages = new Map([
  [77, 10000],
  [128, 932],
  [129, 949],
  [134, 936],
  [136, 950],
  [161, 1253],
  [162, 1254],
  [163, 1258],
  [177, 1255],
  [178, 1256],
  [186, 1257],
  [204, 1251],
  [222, 874],
  [238, 1250],
]);

interface Group {
  /** What to do with its text. */
  kind: "text" | "skipped" | "fonts" | "bullet" | "note";
  font: number;
  /** How many characters after \u stand for it in old readers. */
  fallback: number;
  isInTable: boolean;
  /** 0 outside of headings. */
  level: number;
  /** The text around it, if the group is read on its own. */
  outer: string | null;
}

/** Rich text of Word, WordPad, Outlook and others. */
export const readRtf: ReadFormat = async function* ({ path, size }) {
  if (size > largest) throw new DocumentError("invalid_file", "The document is larger than 64 MB. Save it as DOCX.");
  let isEmpty = true;
  for (const block of blocksOfRtf((await readFile(path)).toString("latin1"))) {
    isEmpty = false;
    yield block;
  }
  if (isEmpty) throw noText(" ");
};

/** @param rtf a character for each byte. */
function* blocksOfRtf(rtf: string): Generator<Block> {
  const groups: Group[] = [];
  let group: Group = { kind: "text", font: 0, fallback: 1, isInTable: false, level: 0, outer: null };
  const blocks: Block[] = [];
  const writer = blockWriter((block) => blocks.push(block), {});
  const token = new RegExp(tokens, "y");
  const fonts = new Map<number, string>();
  let defaultFont = 0;
  let ansi = "1252";
  let text = "";
  /** Not decoded yet, as characters of several bytes may come one by one. */
  let bytes = "";
  let notes: string[] = [];
  let isInTable = false;
  let toSkip = 0;
  let isGroupStart = false;
  let isStarred = false;

  const flushBytes = () => {
    if (bytes !== "") text += decodeAs(Buffer.from(bytes, "latin1"), fonts.get(group.font) ?? ansi);
    bytes = "";
  };
  const takeText = () => {
    flushBytes();
    const taken = text;
    text = "";
    return taken;
  };
  const add = (addition: string) => {
    flushBytes();
    if (group.kind !== "skipped" && group.kind !== "fonts") text += addition;
  };
  const addSymbol = (symbol: string) => {
    if (toSkip > 0) toSkip -= 1;
    else add(symbol);
  };
  const addBytes = (addition: string) => {
    if (group.kind === "skipped" || group.kind === "fonts") return;
    const skipped = Math.min(toSkip, addition.length);
    toSkip -= skipped;
    bytes += addition.slice(skipped);
  };
  const putNotes = () => {
    for (const note of notes) writer.paragraph({ text: note });
    notes = [];
  };
  const endParagraph = () => {
    if (isInTable) writer.closeTable();
    isInTable = false;
    writer.paragraph({ text: takeText(), level: group.level > 0 ? group.level : undefined });
    putNotes();
  };
  const endCell = () => {
    if (!isInTable) writer.openTable();
    isInTable = true;
    writer.openCell();
    writer.paragraph({ text: takeText() });
    putNotes();
  };
  const beginGroup = (kind: Group["kind"]) => {
    if (group.kind === "skipped") return;
    flushBytes();
    Object.assign(group, { kind, isInTable: false, outer: text });
    text = "";
  };
  const endGroup = (inner: Group) => {
    if (inner.outer === null) return;
    const content = takeText();
    text = inner.outer;
    if (inner.kind === "note") notes.push(content);
    // Bullets are letters of fonts like Wingdings.
    if (inner.kind === "bullet") text += /[\p{L}\p{N}]/u.test(content) ? `${content.trim()} ` : "- ";
  };
  const readWord = (word: string, number: number | undefined) => {
    if (isGroupStart || isStarred) {
      if (bulletGroups.has(word)) beginGroup("bullet");
      else if (noteGroups.has(word)) beginGroup("note");
      else if (word === "fonttbl") beginGroup("fonts");
      else if (skippedGroups.has(word) || (isStarred && !knownGroups.has(word))) beginGroup("skipped");
    }
    if (group.kind === "skipped") return;
    const symbol = symbols.get(word);
    if (symbol !== undefined) addSymbol(symbol);
    else if (word === "u" && number !== undefined) {
      add(String.fromCharCode(number & 0xffff));
      toSkip = group.fallback;
    } else if (word === "par" || word === "sect" || word === "page") {
      if (group.kind === "note" || group.isInTable) add("\n");
      else endParagraph();
    } else if (word === "cell" || word === "nestcell") endCell();
    else if (word === "row") writer.closeRow();
    else if ((word === "f" && number !== undefined) || word === "plain") {
      flushBytes();
      group.font = number ?? defaultFont;
    } else if (word === "deff") group.font = defaultFont = number ?? 0;
    else if (word === "fcharset" && group.kind === "fonts") {
      const page = codePages.get(number ?? 0);
      if (page !== undefined) fonts.set(group.font, String(page));
    } else if (word === "ansicpg" && number !== undefined) ansi = number === 65001 ? "utf-8" : String(number);
    else if (word === "mac") ansi = "10000";
    else if (word === "uc") group.fallback = number ?? 1;
    else if (word === "intbl") group.isInTable = true;
    else if (word === "outlinelevel") group.level = number !== undefined && number < 9 ? number + 1 : 0;
    else if (word === "pard") Object.assign(group, { isInTable: false, level: 0 });
  };

  for (let found = token.exec(rtf); found !== null; found = token.exec(rtf)) {
    const [all, word, digits, byte, symbol] = found;
    const wasGroupStart: boolean = isGroupStart;
    if (all === "{") {
      flushBytes();
      if (groups.length >= deepest)
        throw new DocumentError("invalid_file", `The document is nested more than ${deepest} levels deep.`);
      groups.push(group);
      group = { ...group, outer: null };
      toSkip = 0;
    } else if (all === "}") {
      flushBytes();
      const inner = group;
      group = groups.pop() ?? group;
      endGroup(inner);
      toSkip = 0;
      if (groups.length === 0) break;
    } else if (word === "bin") token.lastIndex += Math.max(0, Number(digits ?? 0));
    else if (word !== undefined) readWord(word, digits === undefined ? undefined : Number(digits));
    else if (byte !== undefined) addBytes(String.fromCharCode(parseInt(byte, 16)));
    else if (symbol === "\n" || symbol === "\r") readWord("par", undefined);
    else if (symbol !== undefined && symbol !== "*") addSymbol(symbols.get(symbol) ?? "");
    else if (symbol === undefined) addBytes(all.replace(/[\r\n]+/g, ""));
    if (text.length + bytes.length > longestText) endParagraph();
    isStarred = symbol === "*";
    isGroupStart = all === "{" || (wasGroupStart && /^[\r\n]+$/.test(all));
    if (blocks.length > 0) yield* blocks.splice(0);
  }
  endParagraph();
  yield* blocks;
}
