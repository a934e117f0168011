import type { Segment } from "./pdfSegments.js";

/**
 * Splits the segments of a page, given line by line, into flows: columns, and what runs across them. Flows are read one
 * after the other, each from top to bottom. A table is not split into columns.
 */
export function flowsOf(segments: Segment[], rightToLeft: boolean, depth = 0): Segment[][] {
  const gutters = guttersOf(segments);
  if (gutters.length > 0) return flowsOfColumns(segments, gutters, rightToLeft);
  // Columns may begin below a title or an abstract, and end above a table.
  const cut = depth < 6 ? widestGap(segments) : null;
  if (cut === null) return [segments];
  return [
    ...flowsOf(segments.slice(0, cut), rightToLeft, depth + 1),
    ...flowsOf(segments.slice(cut), rightToLeft, depth + 1),
  ];
}

function flowsOfColumns(segments: Segment[], gutters: readonly number[], rightToLeft: boolean): Segment[][] {
  const crosses = ({ x, right }: Segment) => gutters.some((gutter) => x < gutter && right > gutter);
  const acrossLines = new Set(segments.filter(crosses).map(({ line }) => line));
  const flows: Segment[][] = [];
  let across: Segment[] = [];
  let columns: Segment[][] = [];
  const endColumns = () => {
    const filled = columns.filter((column) => column.length > 0);
    flows.push(...(rightToLeft ? filled.reverse() : filled));
    columns = Array.from({ length: gutters.length + 1 }, () => []);
  };
  endColumns();
  for (const segment of segments) {
    if (acrossLines.has(segment.line)) {
      endColumns();
      across.push(segment);
      continue;
    }
    if (across.length > 0) flows.push(across);
    across = [];
    columns[gutters.filter((gutter) => gutter <= segment.x).length]?.push(segment);
  }
  endColumns();
  return across.length > 0 ? [...flows, across] : flows;
}

/** The x positions between columns of running text; empty for one column, or a table. */
function guttersOf(segments: readonly Segment[]): number[] {
  const [from, to] = extent(segments);
  // Fine enough for gutters: 2 points on a page 600 points wide.
  const bins = 300;
  const binWidth = (to - from) / bins;
  if (segments.length < 6 || !(binWidth > 0)) return [];
  const changes = new Array<number>(bins + 2).fill(0);
  const change = (position: number, by: number) => {
    const bin = Math.ceil((position - from) / binWidth);
    changes[bin] = (changes[bin] ?? 0) + by;
  };
  for (const { x, right } of segments) {
    change(x, 1);
    change(right, -1);
  }
  const candidates: number[] = [];
  let run: { fewest: number; bins: number[] } | null = null;
  let crossing = 0;
  for (const [bin, by] of changes.entries()) {
    crossing += by;
    // A title and some headings may cross a gutter; but the lines of one column of three are a third of all lines.
    if (crossing <= segments.length / 5) {
      if (run === null || crossing < run.fewest) run = { fewest: crossing, bins: [bin] };
      else if (crossing === run.fewest) run.bins.push(bin);
    } else if (run !== null) {
      candidates.push(from + (run.bins[run.bins.length >> 1] ?? 0) * binWidth);
      run = null;
    }
  }
  const gutters: number[] = [];
  let left = from;
  for (const gutter of candidates.filter((candidate) => candidate > from)) {
    if (!isProse(segments.filter(({ x, right }) => x >= left && right <= gutter))) continue;
    gutters.push(gutter);
    left = gutter;
  }
  return isProse(segments.filter(({ x }) => x >= left)) ? gutters : [];
}

/** Whether lines fill their column, as running text does. Cells of a table are short, or differ in length. */
function isProse(column: readonly Segment[]): boolean {
  const inked = new Map<number, number>();
  for (const { line, width } of column) inked.set(line, (inked.get(line) ?? 0) + width);
  if (inked.size < 3) return false;
  const [from, to] = extent(column);
  const full = [...inked.values()].filter((width) => width >= 0.6 * (to - from)).length;
  return to - from >= 10 * median(column.map(({ size }) => size)) && full * 2 >= inked.size;
}

/** The index of the first segment below the widest gap between lines; null if no gap is wider than usual. */
function widestGap(segments: readonly Segment[]): number | null {
  if (segments.length < 12) return null;
  const gaps = segments.slice(1).map(({ line, y }, i) => {
    const above = segments[i];
    return above === undefined || above.line === line ? 0 : y - above.y;
  });
  const widest = gaps.reduce((most, gap) => Math.max(most, gap), 0);
  return widest > 1.5 * median(gaps.filter((gap) => gap > 0)) ? gaps.indexOf(widest) + 1 : null;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The leftmost and the rightmost edge of spans. */
export const extent = (spans: readonly { x: number; right: number }[]): [number, number] =>
  spans.reduce<[number, number]>(
    ([from, to], { x, right }) => [Math.min(from, x), Math.max(to, right)],
    [Infinity, -Infinity],
  );
