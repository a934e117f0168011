import type { Block } from "../words/document.js";
import { type BlockWriter, blockWriter } from "./blockWriter.js";
import { decodeAs } from "./encoding.js";

/** A group of RTF, written between a pair of braces. */
export interface Group {
  /** What happens to the group's text. */
  kind: "text" | "skipped" | "fonts" | "bullet" | "note";
  font: number;
  /** How many characters after \u repeat it for old readers. */
  fallback: number;
  isInTable: boolean;
  /** Heading level; 0 means "not a heading". */
  level: number;
  /** The text around a group that is not plain text; null in a plain group. */
  outer: string | null;
}

/** The state of reading a document. */
export interface State {
  readonly writer: BlockWriter;
  group: Group;
  /** The code page of each font that has one. */
  readonly fonts: Map<number, string>;
  defaultFont: number;
  /** The code page of the document. */
  ansi: string;
  text: string;
  /** Bytes after `text` that are not decoded yet, since one character may arrive as several tokens. */
  bytes: string;
  /** Notes of the open paragraph. */
  notes: string[];
  isInTable: boolean;
  /** How many characters that repeat a \u are still to be skipped. */
  toSkip: number;
  isGroupStart: boolean;
  isStarred: boolean;
}

/** @param blocks receives the blocks as they are complete */
export function newState(blocks: Block[]): State {
  return {
    writer: blockWriter((block) => blocks.push(block), {}),
    group: { kind: "text", font: 0, fallback: 1, isInTable: false, level: 0, outer: null },
    fonts: new Map(),
    defaultFont: 0,
    ansi: "1252",
    text: "",
    bytes: "",
    notes: [],
    isInTable: false,
    toSkip: 0,
    isGroupStart: false,
    isStarred: false,
  };
}

/** Gives the text of a note or bullet group, which has just ended, its place in the text around it. */
export function endGroup(state: State, { kind, outer }: Group): void {
  if (outer === null) return;
  const content = takeText(state);
  state.text = outer;
  if (kind === "note") state.notes.push(content);
  // A bullet is often a letter of a font such as Wingdings.
  if (kind === "bullet") state.text += /[\p{L}\p{N}]/u.test(content) ? `${content.trim()} ` : "- ";
}

/** Writes a paragraph outside of tables, which ends an open table, then its notes. */
export function endParagraph(state: State): void {
  const { writer, group } = state;
  if (state.isInTable) writer.closeTable();
  state.isInTable = false;
  writer.paragraph({ text: takeText(state), level: group.level > 0 ? group.level : undefined });
  writeNotes(state);
}

/** Writes the open cell, and begins a table if none is open: RTF does not say where one begins. */
export function endCell(state: State): void {
  const { writer } = state;
  if (!state.isInTable) writer.openTable();
  state.isInTable = true;
  writer.openCell();
  writer.paragraph({ text: takeText(state) });
  writeNotes(state);
}

function writeNotes(state: State): void {
  for (const note of state.notes) state.writer.paragraph({ text: note });
  state.notes = [];
}

/** Adds text, except in groups that hold none. */
export function add(state: State, addition: string): void {
  flushBytes(state);
  if (state.group.kind !== "skipped" && state.group.kind !== "fonts") state.text += addition;
}

/** Adds a character, unless it repeats a \u for old readers. */
export function addSymbol(state: State, symbol: string): void {
  if (state.toSkip > 0) state.toSkip -= 1;
  else add(state, symbol);
}

/** Adds bytes of the current font's code page, one per character. */
export function addBytes(state: State, addition: string): void {
  if (state.group.kind === "skipped" || state.group.kind === "fonts") return;
  const skipped = Math.min(state.toSkip, addition.length);
  state.toSkip -= skipped;
  state.bytes += addition.slice(skipped);
}

/** Decodes the bytes read so far; called before the font or the group changes. */
export function flushBytes(state: State): void {
  const { bytes } = state;
  if (bytes === "") return;
  state.bytes = "";
  state.text += decodeAs(Buffer.from(bytes, "latin1"), state.fonts.get(state.group.font) ?? state.ansi);
}

function takeText(state: State): string {
  flushBytes(state);
  const { text } = state;
  state.text = "";
  return text;
}
