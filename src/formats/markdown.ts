import type { Block } from "../words/document.js";
import { joinCells, longestHeader } from "./blockWriter.js";
import { decodeFile } from "./encoding.js";
import type { ReadFormat } from "./format.js";
import { linesOf, noText } from "./text.js";

/** In characters: what goes on for longer is cut after a line. */
const longestBlock = 8_000;
/** Front matter that has not ended by then is none: its first line is a rule. In characters. */
const longestFrontMatter = 16_384;
/** Longer lines are no headings, rules or the like, which saves looking closer at them. In characters. */
const longestMark = 2_000;

const atxHeading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const setextRule = /^ {0,3}(?:=+|-+)$/;
const fenceStart = /^[ \t]*(`{3,}|~{3,})([^\n]*)$/;
/** Below these, a line of "-" is a rule and no underline. */
const listOrQuote = /^\s*(?:[-*+>]|\d+[.)])/;

/** Markdown: headings, tables and code are found; everything else is kept as it is written. */
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

/** Gets the lines of a document one by one, with their line breaks. */
function markdownReader() {
  let mode: Mode = { in: "start" };
  /** Of the block that is being read. */
  let lines: string[] = [];
  let size = 0;
  /** What stands before the next block. */
  let before: string | undefined;
  let blocks: Block[] = [];

  const put = (block: Block) => {
    blocks.push(before === undefined ? block : { ...block, before });
    before = "\n";
  };
  const flush = () => {
    const text = lines.join("");
    lines = [];
    size = 0;
    if (text.trim() === "") return;
    put({ kind: "text", text: text.replace(/\n$/, ""), place: {} });
    if (!text.endsWith("\n")) before = "";
  };
  const keep = (line: string) => {
    lines.push(line);
    size += line.length;
    if (size > longestBlock && mode.in !== "front matter") flush();
  };
  const putHeading = (level: number, text: string) => {
    if (text !== "") put({ kind: "heading", level, text, place: {} });
  };

  const readText = (line: string) => {
    const content = line.trim();
    if (content === "") {
      flush();
      before = undefined;
      return;
    }
    if (line.length > longestMark) {
      keep(line);
      return;
    }
    const bare = line.trimEnd();
    const [last] = lines.slice(-1);
    const fence = fenceStart.exec(bare);
    const heading = atxHeading.exec(bare);
    if (fence?.[1] !== undefined && !(fence[1].startsWith("`") && fence[2]?.includes("`"))) {
      flush();
      mode = { in: "code", fence: fence[1] };
      keep(line);
    } else if (heading?.[1] !== undefined) {
      flush();
      putHeading(heading[1].length, (heading[2] ?? "").replace(/(?:^|[ \t])#+$/, "").trim());
    } else if (last !== undefined && lines.length === 1 && setextRule.test(bare) && !listOrQuote.test(last)) {
      lines = [];
      size = 0;
      putHeading(content.startsWith("=") ? 1 : 2, last.trim());
    } else if (last?.includes("|") === true && isTableRule(content, cellsOf(last).length)) {
      lines.pop();
      flush();
      const header = joinCells(cellsOf(last));
      if (header !== "") put({ kind: "row", text: header, header: null, place: {} });
      mode = { in: "table", header: header === "" || header.length > longestHeader ? null : header };
    } else keep(line);
  };

  const readCode = (line: string, fence: string) => {
    keep(line);
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
    if (lines.length === 1) return;
    if (/^(?:---|\.\.\.)\s*$/.test(line)) {
      flush();
      mode = { in: "text" };
    } else if (size > longestFrontMatter || (lines.length === 2 && line.trim() === "")) readAsText();
  };
  const readAsText = () => {
    const held = lines;
    lines = [];
    size = 0;
    mode = { in: "text" };
    held.forEach(readLine);
  };

  const readLine = (line: string) => {
    if (mode.in === "start") mode = { in: /^---\s*$/.test(line) ? "front matter" : "text" };
    if (mode.in === "code") readCode(line, mode.fence);
    else if (mode.in === "table") readRow(line, mode.header);
    else if (mode.in === "front matter") readFrontMatter(line);
    else readText(line);
  };
  const take = () => {
    const taken = blocks;
    blocks = [];
    return taken;
  };

  return {
    read: (line: string): Block[] => {
      readLine(line.replace(/\r\n$/, "\n"));
      return take();
    },
    end: (): Block[] => {
      if (mode.in === "front matter") readAsText();
      flush();
      return take();
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

/** The line below a table's header, such as `|---|:-:|`. */
function isTableRule(line: string, columns: number): boolean {
  if (!/^[-|: \t]+$/.test(line)) return false;
  const cells = cellsOf(line);
  return cells.length === columns && cells.every((cell) => /^:?-+:?$/.test(cell));
}
