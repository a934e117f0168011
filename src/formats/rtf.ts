import { readFile } from "node:fs/promises";
import { type Block, DocumentError } from "../words/document.js";
import type { ReadFormat } from "./format.js";
import {
  add,
  addBytes,
  addSymbol,
  endCell,
  endGroup,
  endParagraph,
  flushBytes,
  type Group,
  newState,
  type State,
} from "./rtfState.js";
import { noText } from "./text.js";

/** In bytes; the document, most of it pictures, is held in memory as a whole. */
const largest = 67_108_864;
const deepest = 1_000;
/** In characters; only documents made to fill the memory have a longer paragraph, which is cut here. */
const longestText = 1_048_576;

/** A control word with its number and the space after it, a byte, a control symbol, a brace, or text. */
const tokens = /\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([\da-fA-F]{2})|([^]?))|[{}]|[^\\{}]+/;

const names = (list: string) => new Set(list.split(" "));
/** Groups that hold none of the document's text. */
const skippedGroups = names(
  "colortbl stylesheet info pict objdata filetbl listtable listoverridetable revtbl rsidtbl generator xmlnstbl themedata " +
    "colorschememapping datastore latentstyles pgptbl sp nonshppict pnseclvl mmathPr xe tc",
);
/** Groups with text among those marked `\*`, which a reader may skip if it does not know them. */
const knownGroups = names("shpinst annotation");
/** Groups inside a paragraph whose text is written after it. */
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

/** The Windows code page of each character set that a font may have (\fcharset). */
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

/**
 * Reads rich text of Word, WordPad, Outlook and others.
 * @throws DocumentError when it has no text, is larger than 64 MB or nested too deeply
 */
export const readRtf: ReadFormat = async function* ({ path, size }) {
  if (size > largest) throw new DocumentError("invalid_file", "The document is larger than 64 MB. Save it as DOCX.");
  let isEmpty = true;
  for (const block of blocksOfRtf((await readFile(path)).toString("latin1"))) {
    isEmpty = false;
    yield block;
  }
  if (isEmpty) throw noText(" ");
};

/** @param rtf one character per byte */
function* blocksOfRtf(rtf: string): Generator<Block> {
  const blocks: Block[] = [];
  const state = newState(blocks);
  const groups: Group[] = [];
  const token = new RegExp(tokens, "y");
  for (let found = token.exec(rtf); found !== null; found = token.exec(rtf)) {
    const [all, word, digits, byte, symbol] = found;
    const wasGroupStart = state.isGroupStart;
    if (all === "{") {
      flushBytes(state);
      if (groups.length >= deepest)
        throw new DocumentError("invalid_file", `The document is nested more than ${deepest} levels deep.`);
      groups.push(state.group);
      state.group = { ...state.group, outer: null };
      state.toSkip = 0;
    } else if (all === "}") {
      flushBytes(state);
      const inner = state.group;
      state.group = groups.pop() ?? inner;
      endGroup(state, inner);
      state.toSkip = 0;
      if (groups.length === 0) break;
    } else if (word === "bin") token.lastIndex += Math.max(0, Number(digits ?? 0));
    else if (word !== undefined) readWord(state, word, digits === undefined ? undefined : Number(digits));
    else if (byte !== undefined) addBytes(state, String.fromCharCode(parseInt(byte, 16)));
    else if (symbol === "\n" || symbol === "\r") readWord(state, "par", undefined);
    else if (symbol !== undefined && symbol !== "*") addSymbol(state, symbols.get(symbol) ?? "");
    else if (symbol === undefined) addBytes(state, all.replace(/[\r\n]+/g, ""));
    if (state.text.length + state.bytes.length > longestText) endParagraph(state);
    state.isStarred = symbol === "*";
    state.isGroupStart = all === "{" || (wasGroupStart && /^[\r\n]+$/.test(all));
    if (blocks.length > 0) yield* blocks.splice(0);
  }
  endParagraph(state);
  yield* blocks;
}

function readWord(state: State, word: string, number: number | undefined): void {
  const { group } = state;
  if (state.isGroupStart || state.isStarred) beginGroup(state, word);
  if (group.kind === "skipped") return;
  const symbol = symbols.get(word);
  if (symbol !== undefined) addSymbol(state, symbol);
  else if (word === "u" && number !== undefined) {
    add(state, String.fromCharCode(number & 0xffff));
    state.toSkip = group.fallback;
  } else if (word === "par" || word === "sect" || word === "page") {
    if (group.kind === "note" || group.isInTable) add(state, "\n");
    else endParagraph(state);
  } else if (word === "cell" || word === "nestcell") endCell(state);
  else if (word === "row") state.writer.closeRow();
  else if ((word === "f" && number !== undefined) || word === "plain") {
    flushBytes(state);
    group.font = number ?? state.defaultFont;
  } else if (word === "deff") group.font = state.defaultFont = number ?? 0;
  else if (word === "fcharset" && group.kind === "fonts") {
    const page = codePages.get(number ?? 0);
    if (page !== undefined) state.fonts.set(group.font, String(page));
  } else if (word === "ansicpg" && number !== undefined) state.ansi = number === 65001 ? "utf-8" : String(number);
  else if (word === "mac") state.ansi = "10000";
  else if (word === "uc") group.fallback = number ?? 1;
  else if (word === "intbl") group.isInTable = true;
  else if (word === "outlinelevel") group.level = number !== undefined && number < 9 ? number + 1 : 0;
  else if (word === "pard") Object.assign(group, { isInTable: false, level: 0 });
}

/** Decides by a group's first word what happens to its text. */
function beginGroup(state: State, word: string): void {
  const { group } = state;
  let kind: Group["kind"];
  if (bulletGroups.has(word)) kind = "bullet";
  else if (noteGroups.has(word)) kind = "note";
  else if (word === "fonttbl") kind = "fonts";
  else if (skippedGroups.has(word) || (state.isStarred && !knownGroups.has(word))) kind = "skipped";
  else return;
  if (group.kind === "skipped") return;
  flushBytes(state);
  Object.assign(group, { kind, isInTable: false, outer: state.text });
  state.text = "";
}
