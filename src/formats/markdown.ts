import type { Block } from "../words/document.js";
import { joinCells, longestHeader } from "./blockWriter.js";
import { decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { linesOf, noText } from "./text.js";

/** In characters; a longer block is cut after a line. */
const longestBlock = 8_000;
/** In characters; front matter that has not ended by then is text that begins with a rule. */
const longestFrontMatter = 16_384;
/** In characters; a longer line is never a heading, rule or fence, which saves the time to look. */
const longestMark = 2_000;

const atxHeading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const setextRule = /^ {0,3}(?:=+|-+)$/;
const fenceStart = /^[ \t]*(`{3,}|~{3,})([^\n]*)$/;
/** Below such a line, "---" is a rule, not the underline of a heading. */
const listOrQuote = /^\s*(?:[-*+>]|\d+[.)])/;

/**
 * Reads Markdown: finds headings, tables and code, and keeps everything else as it is written.
 * @throws DocumentError when there is no text
 */
export const readMarkdown: ReadFormat = async function* ({ path }) {
  const reader = markdownReader();
  let isEmpty = true;
  let hasText = false;
  for await (const line of linesOf(decodeFile(path), longestBlock)) {
    isEmpty = false;
    for (const block of reader.read(line)) {
      hasText = true;
      yield block;
    }
  }
  for (const block of reader.end()) {
    hasText = true;
    yield block;
  }
  if (!hasText) throw noText(isEmpty ? "" : " ");
};

type Mode =
  | { in: "start" }
  | { in: "text" }
  | { in: "front matter" }
  | { in: "code"; fence: string }
  | { in: "table"; header: string | null };

/** What a line of text is, given the lines of its block so far. */
type Mark =
  | { is: "blank" }
  | { is: "text" }
  | { is: "rule of a table" }
  | { is: "fence"; fence: string }
  | { is: "heading"; level: number; text: string }
  | { is: "underline"; level: number; text: string };

function markOf(line: string, held: readonly string[]): Mark {
  const content = line.trim();
  if (content === "") return { is: "blank" };
  if (line.length > longestMark) return { is: "text" };
  const bare = line.trimEnd();
  const last = held.at(-1);
  const fence = fenceStart.exec(bare);
  if (fence?.[1] !== undefined && !(fence[1].startsWith("`") && fence[2]?.includes("`"))) {
    return { is: "fence", fence: fence[1] };
  }
  const heading = atxHeading.exec(bare);
  if (heading?.[1] !== undefined) {
    const text = (heading[2] ?? "").replace(/(?:^|[ \t])#+$/, "").trim();
    return { is: "heading", level: heading[1].length, text };
  }
  if (last !== undefined && held.length === 1 && setextRule.test(bare) && !listOrQuote.test(last)) {
    return { is: "underline", level: content.startsWith("=") ? 1 : 2, text: last.trim() };
  }
  const isRule = last?.includes("|") === true && isTableRule(content, cellsOf(last).length);
  return { is: isRule ? "rule of a table" : "text" };
}

/** Collects lines into blocks. */
function blockCollector() {
  let lines: string[] = [];
  let size = 0;
  /** What separates the next block from the one before; undefined means a blank line. */
  let before: string | undefined;
  let blocks: Block[] = [];

  const put = (block: Block) => {
    blocks.push(before === undefined ? block : { ...block, before });
    before = "\n";
  };
  const takeLines = () => {
    const taken = lines;
    lines = [];
    size = 0;
    return taken;
  };
  const keep = (line: string) => {
    lines.push(line);
    size += line.length;
  };
  /** Ends the open block. */
  const flush = () => {
    const text = takeLines().join("");
    if (text.trim() === "") return;
    put({ kind: "text", text: text.replace(/\n$/, ""), place: {} });
    if (!text.endsWith("\n")) before = "";
  };

  return {
    put,
    putHeading: (level: number, text: string) => {
      if (text !== "") put({ kind: "heading", level, text, place: {} });
    },
    takeLines,
    /** The lines of the open block, and how many characters they have. */
    held: () => ({ lines, size }),
    keep,
    /** As `keep`, but ends a block that is long enough. */
    keepText: (line: string) => {
      keep(line);
      if (size > longestBlock) flush();
    },
    flush,
    /** A blank line separates the next block from the one before. */
    separate: () => {
      before = undefined;
    },
    takeBlocks: () => {
      const taken = blocks;
      blocks = [];
      return taken;
    },
  };
}

/** Receives a document's lines one by one, each with its line break, and returns the blocks that are complete. */
function markdownReader() {
  let mode: Mode = { in: "start" };
  const { put, putHeading, takeLines, held, keep, keepText, flush, separate, takeBlocks } = blockCollector();

  const readText = (line: string) => {
    const mark = markOf(line, held().lines);
    if (mark.is === "text") keepText(line);
    else if (mark.is === "underline") {
      takeLines();
      putHeading(mark.level, mark.text);
    } else if (mark.is === "rule of a table") openTable();
    else {
      flush();
      if (mark.is === "blank") separate();
      else if (mark.is === "heading") putHeading(mark.level, mark.text);
      else {
        mode = { in: "code", fence: mark.fence };
        keepText(line);
      }
    }
  };
  const openTable = () => {
    const above = takeLines();
    const header = joinCells(cellsOf(above.pop() ?? ""));
    above.forEach(keep);
    flush();
    if (header !== "") put({ kind: "row", text: header, header: null, place: {} });
    mode = { in: "table", header: header === "" || header.length > longestHeader ? null : header };
  };
  const readCode = (line: string, fence: string) => {
    keepText(line);
    const content = line.trim();
    if (content.length < fence.length || content.replaceAll(fence.charAt(0), "") !== "") return;
    flush();
    mode = { in: "text" };
  };
  const readRow = (line: string, header: string | null) => {
    if (!line.includes("|")) {
      mode = { in: "text" };
      readText(line);
      return;
    }
    const text = joinCells(cellsOf(line));
    if (text !== "") put({ kind: "row", text, header, place: {} });
  };
  const readFrontMatter = (line: string) => {
    keep(line);
    const { lines, size } = held();
    if (lines.length === 1) return;
    if (/^(?:---|\.\.\.)\s*$/.test(line)) {
      flush();
      mode = { in: "text" };
    } else if (size > longestFrontMatter || (lines.length === 2 && line.trim() === "")) readAsText();
  };
  const readAsText = () => {
    mode = { in: "text" };
    takeLines().forEach(readLine);
  };
  const readLine = (line: string) => {
    if (mode.in === "start") mode = { in: /^---\s*$/.test(line) ? "front matter" : "text" };
    if (mode.in === "code") readCode(line, mode.fence);
    else if (mode.in === "table") readRow(line, mode.header);
    else if (mode.in === "front matter") readFrontMatter(line);
    else readText(line);
  };

  return {
    read: (line: string): Block[] => {
      readLine(line.replace(/\r\n$/, "\n"));
      return takeBlocks();
    },
    end: (): Block[] => {
      if (mode.in === "front matter") readAsText();
      flush();
      return takeBlocks();
    },
  };
}

function cellsOf(line: string): string[] {
  const row = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** Whether a line can follow a table's header, such as `|---|:-:|`. */
function isTableRule(line: string, columns: number): boolean {
  if (!/^[-|: \t]+$/.test(line)) return false;
  const cells = cellsOf(line);
  return cells.length === columns && cells.every((cell) => /^:?-+:?$/.test(cell));
}
