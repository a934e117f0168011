/** A piece of text and its place on the page, in points from the upper left corner. */
export interface TextItem {
  text: string;
  /** Left edge. */
  x: number;
  /** The baseline; grows downwards. */
  y: number;
  width: number;
  /** Font size. */
  size: number;
}

/** A run of text on one line without a wide gap. */
export interface Segment extends TextItem {
  right: number;
  /** Number of its line, from the top of the page; columns may share a line. */
  line: number;
}

/** Gap that counts as a space, in ems (multiples of the font size). */
const spaceWidth = 0.15;
/**
 * Gap that ends a segment, in ems: narrower than the gutters of IEEE papers (1.2 em), wider than nearly all justified
 * spaces.
 */
const segmentGap = 0.9;

/** Items that follow each other without a wide gap, such as a word and its subscript. */
interface Run {
  items: TextItem[];
  x: number;
  right: number;
  /** The longest item, whose baseline counts as the run's. */
  longest: TextItem;
}

/** Joins the texts of a page into segments, line by line from the top. */
export function segmentsOf(items: readonly TextItem[]): Segment[] {
  const lines: Run[][] = [];
  for (const run of runsOf(items).sort((a, b) => a.longest.y - b.longest.y)) {
    const first = lines.at(-1)?.[0];
    if (first !== undefined && isNear(run.longest, first.longest, 0.35)) lines.at(-1)?.push(run);
    else lines.push([run]);
  }
  return lines.flatMap((runs, line) => segmentsOfLine(runs, line));
}

/** Whether two baselines are at most `ems` apart. */
const isNear = (item: TextItem, other: TextItem, ems: number) =>
  Math.abs(item.y - other.y) <= (ems * (item.size + other.size)) / 2;

/** Joins items in file order: by position alone, a line could catch a superscript of the next column. */
function runsOf(items: readonly TextItem[]): Run[] {
  const runs: Run[] = [];
  for (const item of items) {
    const run = runs.at(-1);
    const [x, right] = [item.x, item.x + item.width];
    if (item.text.trim() === "") {
      // A blank only separates words. A wide one counts as a gap, so it does not extend the run.
      run?.items.push(item);
    } else if (run !== undefined && adjoins(item, run) && isNear(item, run.longest, 0.6)) {
      run.items.push(item);
      run.x = Math.min(run.x, x);
      run.right = Math.max(run.right, right);
      if (item.text.length > run.longest.text.length) run.longest = item;
    } else {
      runs.push({ items: [item], x, right, longest: item });
    }
  }
  return runs;
}

/** Whether an item touches a run on either side, since scripts run in both directions. */
function adjoins({ x, width, size }: TextItem, run: Run): boolean {
  const gap = Math.max(x - run.right, run.x - x - width);
  return gap <= segmentGap * size && gap >= -size;
}

function segmentsOfLine(runs: Run[], line: number): Segment[] {
  const groups: Run[] = [];
  for (const run of runs.sort((a, b) => a.x - b.x)) {
    const group = groups.at(-1);
    if (group === undefined || run.x - group.right > segmentGap * run.longest.size) {
      groups.push(run);
      continue;
    }
    for (const item of run.items) group.items.push(item);
    group.right = Math.max(group.right, run.right);
    if (run.longest.text.length > group.longest.text.length) group.longest = run.longest;
  }
  return groups.map(({ items, x, right, longest }) => {
    const inOrder = items.sort((a, b) => a.x - b.x);
    const text = textOf(inOrder.filter((item, i) => !isShadow(item, inOrder[i - 1])));
    return { text, x, y: longest.y, width: right - x, right, size: longest.size, line };
  });
}

/** Whether an item repeats the one before at the same place: some programs print bold text twice. */
const isShadow = (item: TextItem, before: TextItem | undefined) =>
  before?.text === item.text &&
  Math.abs(before.x - item.x) < spaceWidth * item.size &&
  Math.abs(before.y - item.y) < spaceWidth * item.size;

function textOf(group: TextItem[]): string {
  const rightToLeft = isRightToLeft(group.map(({ text }) => text).join(" "));
  const parts: string[] = [];
  let before: TextItem | null = null;
  for (const item of group) {
    const gap = before === null ? 0 : item.x - before.x - before.width;
    // Where scripts change, the space may be part of an item's width instead of a gap.
    if (gap > spaceWidth * item.size || (before !== null && changesScript(before.text, item.text))) parts.push(" ");
    parts.push(item.text);
    before = item;
  }
  return (rightToLeft ? reversed(parts) : parts).join("").replaceAll(/\s+/g, " ").trim();
}

const rightToLeftLetters = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/gu;
const letters = /\p{L}/gu;

/** Whether most letters belong to a script that runs from right to left. */
export const isRightToLeft = (text: string) =>
  (text.match(rightToLeftLetters)?.length ?? 0) * 2 > (text.match(letters)?.length ?? 0);

/** Puts the parts of a line into reading order from right to left; numbers and Latin words keep their order. */
function reversed(parts: readonly string[]): string[] {
  const result: string[] = [];
  let latin: string[] = [];
  const endLatin = () => {
    // A space to the left of Latin text is read after it.
    const spaces: string[] = [];
    while (latin.at(-1) === " ") spaces.push(latin.pop() ?? "");
    for (const part of latin.reverse()) result.push(part);
    for (const space of spaces) result.push(space);
    latin = [];
  };
  for (const part of [...parts].reverse()) {
    if (isLatin(part) || (latin.length > 0 && part === " ")) latin.push(part);
    else {
      endLatin();
      result.push(part);
    }
  }
  endLatin();
  return result;
}

const isLatin = (part: string) => /[\p{Script=Latin}\p{N}]/u.test(part) && part.search(rightToLeftLetters) === -1;

const changesScript = (text: string, next: string) =>
  text.search(rightToLeftLetters) === -1
    ? /\p{Script=Latin}$/u.test(text) && next.search(rightToLeftLetters) !== -1
    : /^\p{Script=Latin}/u.test(next) && next.search(rightToLeftLetters) === -1;
