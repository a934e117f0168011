import type { Span } from "./ahead.js";
import { borderBefore } from "./graphemes.js";

/** How good a border is for a cut; a place between any two graphemes has rank 0. */
const ranks = { space: 1, line: 2, row: 3, sentence: 3, paragraph: 4, block: 5, heading: 6 };

/**
 * Finds where to end a chunk that begins at `start`: a grapheme border after `start` and at most at `limit`; `start` if
 * there is none.
 * It takes the best border in the second half of what fits, and the last of equal ones: before a heading, then between
 * blocks, paragraphs (at a blank line), sentences or rows, lines, words, and last between graphemes. A heading or the
 * header row of a table stays with what follows it, and a row that fits in a chunk is not cut, even if that leaves a
 * chunk less than half full.
 */
export function findCut(text: string, spans: readonly Span[], start: number, limit: number): number {
  const last = borderBefore(text, start, limit);
  if (last <= start) return start;
  const blanks = Math.max(0, text.slice(start, last).search(/\S/));
  const half = start + Math.max(blanks + 1, Math.ceil((last - start) / 2));
  const best = bestBorder(text, spans, { start, half, last }, true);
  if (best !== null) return best;
  const row = spans.find((span) => last > span.start && last < span.end && isWholeRow(span, start, last));
  const lead = leadBefore(spans, row === undefined ? half : row.start - 1, last);
  for (const place of [lead, row?.start]) {
    const border = borderBefore(text, start, place ?? start);
    if (border > start + blanks) return border;
  }
  if (row === undefined && leadBefore(spans, last, last) === null) return last;
  return bestBorder(text, spans, { start, half, last }, false) ?? last;
}

interface Places {
  start: number;
  /** The first position to consider for a cut. */
  half: number;
  /** The last one. */
  last: number;
}

/**
 * A blank with a combining mark is not a border. In a text full of these the search stops early, because checking each
 * is slow.
 */
const mostWithinGraphemes = 20;

/** @param whole whether rows must stay whole, and headings together with what follows them */
function bestBorder(text: string, spans: readonly Span[], places: Places, whole: boolean): number | null {
  const { start, half, last } = places;
  let best: number | null = null;
  let bestRank = 0;
  let withinGraphemes = 0;
  const offer = (at: number, rank: number) => {
    if (rank <= bestRank || at < half || at > last || withinGraphemes > mostWithinGraphemes) return;
    if (borderBefore(text, start, at) === at) {
      best = at;
      bestRank = rank;
    } else withinGraphemes += 1;
  };
  // A word ends here, and the blanks after it no longer fit.
  if (isSpace(text.charCodeAt(last)) && !(whole && leadBefore(spans, last, last) !== null)) offer(last, ranks.space);
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const [before, span, next] = [spans[i - 1], spans[i], spans[i + 1]];
    if (span === undefined || span.start > last) continue;
    const highest = highestWithin(span);
    if (!whole || !(isLead(span, next) || isWholeRow(span, start, last))) {
      for (let at = Math.min(last, span.end - 1); at > span.start && at >= half && bestRank < highest; at -= 1) {
        offer(at, Math.min(highest, rankInText(text, start, at)));
      }
    }
    if (span.start < half) break;
    if (before !== undefined && !(whole && isLead(before, span))) {
      offer(span.start, rankBetween(text, start, before, span));
    }
  }
  return best;
}

/**
 * Where the headings begin that a cut at `last` would split, or separate from text that has nothing before `half`; null
 * if there are none.
 */
function leadBefore(spans: readonly Span[], half: number, last: number): number | null {
  let lead: number | null = null;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const span = spans[i];
    if (span === undefined || span.start >= last) continue;
    if (isLead(span, spans[i + 1])) lead = span.start;
    else if (lead !== null || span.start <= half) break;
  }
  return lead;
}

/** Whether a span introduces the next one: a heading, or a table's header row. */
function isLead({ block }: Span, next: Span | undefined): boolean {
  if (block.kind === "heading") return true;
  return block.kind === "row" && next?.block.kind === "row" && next.block.header === block.text;
}

/** Whether a span is a row that begins after this chunk's start and, by its length, fits in a chunk. */
function isWholeRow({ block, start: begin, end }: Span, start: number, last: number): boolean {
  return block.kind === "row" && begin > start && end - begin <= last - start;
}

function highestWithin({ block }: Span): number {
  return block.kind === "text" ? ranks.paragraph : ranks.space;
}

function rankBetween(text: string, start: number, { block: before }: Span, { block, start: at }: Span): number {
  if (block.kind === "heading") return ranks.heading;
  // A row without a header begins another table if the row before has one.
  if (block.kind === "row" && before.kind === "row" && (block.header !== null || before.header === null)) {
    return ranks.row;
  }
  // The blocks of some formats end at arbitrary places in the text.
  if (block.before !== undefined && !/[\n\r\u2028\u2029]/.test(block.before)) return rankInText(text, start, at);
  return ranks.block;
}

/** The rank of position `at`, judged by the text around it, from `start` on. */
function rankInText(text: string, start: number, at: number): number {
  const after = text.charCodeAt(at);
  if (isSpace(after)) return 0;
  let end = at;
  let lines = 0;
  while (end > start && isSpace(text.charCodeAt(end - 1))) {
    end -= 1;
    if (isLineEnd(text, end)) lines += 1;
  }
  if (end === at && isAsciiWord(text.charCodeAt(at - 1))) return 0;
  if (lines > 1) return ranks.paragraph;
  if (endsSentence(text, start, end, at)) return ranks.sentence;
  if (lines > 0) return ranks.line;
  return end < at || pauses.has(text.charAt(end - 1)) ? ranks.space : 0;
}

const ends = new Set(".!?…");
/**
 * Marks that end a sentence without a blank after them: in Chinese, Japanese, Indian scripts, Arabic, Armenian,
 * Ethiopic, Burmese, Khmer.
 */
const endsAlone = new Set("。！？．｡।॥؟۔։።။៕");
const pauses = new Set("、，；：､،፣");
const closers = new Set("\"')]}”’»›」』）】》〉］｝");
const mostClosers = 3;

/** Whether the text before `end` ends a sentence and another begins at `next`. */
function endsSentence(text: string, start: number, end: number, next: number): boolean {
  let at = end;
  while (at > start && end - at < mostClosers && closers.has(text.charAt(at - 1))) at -= 1;
  if (at === start) return false;
  const mark = text.charAt(at - 1);
  const after = text.charAt(next);
  if (endsAlone.has(mark)) return !endsAlone.has(after) && !closers.has(after);
  if (!ends.has(mark) || end === next || /\p{Ll}/u.test(after)) return false;
  // Not after an initial, an abbreviation or a number: "J. Smith", "Dr. No", "12. Cut here".
  return mark !== "." || !/(?:^|[^\p{L}\p{N}])[\p{L}\p{N}]{1,2}$/u.test(text.slice(Math.max(start, at - 4), at - 1));
}

/** Blanks at which a line may break, including the zero-width space between Thai or Khmer words. */
function isSpace(unit: number): boolean {
  return (
    unit === 0x20 ||
    (unit >= 0x09 && unit <= 0x0d) ||
    unit === 0x3000 ||
    (unit >= 0x2000 && unit <= 0x200b && unit !== 0x2007) ||
    unit === 0x2028 ||
    unit === 0x2029
  );
}

/** Whether a line ends at this unit; CR LF counts once, at its LF. */
function isLineEnd(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return (
    (unit >= 0x0a && unit <= 0x0c) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    (unit === 0x0d && text.charCodeAt(at + 1) !== 0x0a)
  );
}

function isAsciiWord(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39);
}
