import type { Block, Place } from "../words/document.js";
import { extent, flowsOf } from "./pdfColumns.js";
import { isRightToLeft, type Segment, segmentsOf, type TextItem } from "./pdfSegments.js";

/** Gap between two cells of a row, in ems (multiples of the font size). */
const cellGap = 1.5;

/** Number of characters by font size. */
export type SizeTally = Map<number, number>;

/** Adds the characters of a page to the tally of font sizes, rounded to half a point. */
export function countSizes(items: readonly TextItem[], tally: SizeTally): void {
  for (const { text, size } of items) {
    const rounded = Math.round(size * 2) / 2;
    tally.set(rounded, (tally.get(rounded) ?? 0) + text.trim().length);
  }
}

/** The font size of running text: the size of most characters. */
export const bodySize = (tally: SizeTally): number =>
  [...tally].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0])[0];

/**
 * Turns the texts of a page into blocks in reading order: columns one after the other, lines joined to paragraphs.
 * @param body font size of running text
 */
export function layOut(items: readonly TextItem[], body: number, place: Place): Block[] {
  const rightToLeft = isRightToLeft(items.map(({ text }) => text).join(" "));
  const paragraphs: Paragraph[] = [];
  const flows = flowsOf(segmentsOf(items), rightToLeft).map(linesOf);
  const pitch = pitchOf(flows);
  for (const lines of flows) {
    const [first, ...others] = toParagraphs(lines, pitch);
    if (first === undefined) continue;
    const before = paragraphs.at(-1);
    if (before !== undefined && goesOn(before, first)) {
      const [text = "", ...more] = first.lines;
      append(before, text);
      before.lines = before.lines.concat(more);
    } else paragraphs.push(first);
    for (const paragraph of others) paragraphs.push(paragraph);
  }
  return paragraphs.map((paragraph) => toBlock(paragraph, body, place));
}

interface Line {
  text: string;
  x: number;
  right: number;
  y: number;
  size: number;
  /** Its parts are so far apart that it is a row of a table. */
  isRow: boolean;
}

function linesOf(flow: readonly Segment[]): Line[] {
  const rows: Segment[][] = [];
  for (const segment of flow) {
    const row = rows.at(-1);
    if (row?.[0]?.line === segment.line) row.push(segment);
    else rows.push([segment]);
  }
  return rows.map((row) => {
    const { y, size } = row.reduce((a, b) => (b.text.length > a.text.length ? b : a));
    const [x, right] = extent(row);
    const isRow = row.some((segment, i) => segment.x - (row[i - 1]?.right ?? segment.x) > cellGap * segment.size);
    const texts = row.map(({ text }) => text);
    if (isRightToLeft(texts.join(" "))) texts.reverse();
    return { text: texts.join(isRow ? " | " : " "), x, right, y, size, isRow };
  });
}

interface Paragraph {
  /** Each line ends with the space, if any, before the next one. */
  lines: string[];
  size: number;
  isRow: boolean;
}

/** The distance of lines inside a paragraph: the lower quartile of all distances on the page. */
function pitchOf(flows: readonly (readonly Line[])[]): number {
  const gaps = flows.flatMap((lines) => lines.slice(1).map(({ y }, i) => y - (lines[i]?.y ?? y)));
  return gaps.filter((gap) => gap > 0).sort((a, b) => a - b)[gaps.length >> 2] ?? 0;
}

function toParagraphs(lines: readonly Line[], pitch: number): Paragraph[] {
  const [, right] = extent(lines);
  const margin = commonest(lines.map(({ x }) => x));
  const begins = (line: Line, before: Line) =>
    line.isRow ||
    before.isRow ||
    !isAbout(line.size, before.size) ||
    line.y - before.y > 1.35 * Math.min(Math.max(pitch, 1.1 * line.size), 2.5 * line.size) ||
    /^([•‣▪▫◦●○■□–—*-]|\(?(\d{1,3}|[a-zA-Z])[.)])\s/.test(line.text) ||
    // An indented first line, or one that hangs out to the left of indented lines, as in a bibliography.
    (line.x > margin + 0.8 * line.size && before.x <= margin + 0.4 * line.size && line.x < margin + 4 * line.size) ||
    (line.x < margin - 0.8 * line.size && before.x > margin - 0.4 * line.size) ||
    (/[.!?:。…؟]["”’)]?$/.test(before.text) && before.right < right - 0.15 * (right - margin));
  const paragraphs: Paragraph[] = [];
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1];
    const paragraph = paragraphs.at(-1);
    if (before === undefined || paragraph === undefined || begins(line, before)) {
      paragraphs.push({ lines: [line.text], size: line.size, isRow: line.isRow });
    } else append(paragraph, line.text);
  }
  return paragraphs;
}

const isAbout = (size: number, other: number) => Math.abs(size - other) <= 0.06 * Math.max(size, other);

/** The most frequent left edge, rounded to two points. */
function commonest(edges: readonly number[]): number {
  const counts = new Map<number, number>();
  let most = edges[0] ?? 0;
  for (const edge of edges) {
    const key = Math.round(edge / 2) * 2;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if ((counts.get(key) ?? 0) > (counts.get(most) ?? 0)) most = key;
  }
  return most;
}

/** Whether a paragraph continues in the next column. */
const goesOn = (before: Paragraph, after: Paragraph) =>
  !before.isRow &&
  !after.isRow &&
  isAbout(before.size, after.size) &&
  /[\p{L},-]$/u.test(before.lines.at(-1) ?? "") &&
  /^\p{Ll}/u.test(after.lines[0] ?? "");

const ideograph = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|[\u3000-\u303F\uFF00-\uFF60]/u;

function append({ lines }: Paragraph, next: string): void {
  const last = lines.pop() ?? "";
  const isBroken = last.endsWith("\u00AD") || (/\p{L}[-‐]$/u.test(last) && /^\p{Ll}/u.test(next));
  // Scripts without spaces break lines anywhere.
  const isWhole = /\p{L}[-‐]$/u.test(last) || (ideograph.test(last.slice(-1)) && ideograph.test(next.slice(0, 1)));
  lines.push(isBroken ? last.slice(0, -1) : isWhole ? last : `${last} `, next);
}

function toBlock({ lines, size, isRow }: Paragraph, body: number, place: Place): Block {
  const text = lines.join("");
  if (isRow) return { kind: "row", header: null, text, place };
  // Longer paragraphs in large type are pull quotes, or pages in large print.
  const isHeading =
    /\p{L}/u.test(text) &&
    ((size >= 1.15 * body && text.length <= 200) ||
      (size >= 1.07 * body && text.length <= 100 && !/[.,;:]$/.test(text)));
  if (!isHeading) return { kind: "text", text, place };
  const level = size >= 1.7 * body ? 1 : size >= 1.25 * body ? 2 : 3;
  return { kind: "heading", level, text, place };
}
