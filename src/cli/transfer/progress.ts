import type { Io } from "../io.js";
import { progressLine } from "../progress.js";
import { readableBytes } from "../../words/readable.js";

/** Interval between two lines in a log. */
const lineEveryMs = 10_000;
const paintEveryMs = 100;

/** The total of `done`; null if unknown. */
type Total = { amount: number; unit: "rows" | "bytes" } | null;

interface Reached {
  /** In the unit of the total. */
  done: number;
  rows: number;
  /** How many of `rows` an earlier run did. */
  before: number;
}

/** Progress on standard error: a bar on a terminal, a line every 10 seconds in a log. */
export interface ProgressBar {
  show(reached: Reached): void;
  clear(): void;
}

export function progressBar(io: Io, total: Total): ProgressBar {
  const terminal = progressLine(io);
  const begun = performance.now();
  let shownAt = terminal === undefined ? begun : -Infinity;
  return {
    show: (reached) => {
      const now = performance.now();
      if (now - shownAt < (terminal === undefined ? lineEveryMs : paintEveryMs)) return;
      shownAt = now;
      const text = describe(reached, total, (1000 * (reached.rows - reached.before)) / (now - begun));
      if (terminal !== undefined) terminal.show(text);
      else io.stderr.write(`${text}\n`);
    },
    clear: () => terminal?.clear(),
  };
}

/** @param rate rows per second in this run */
function describe({ done, rows }: Reached, total: Total, rate: number): string {
  const speed = `${count(Math.round(rate))} rows/s`;
  if (total === null) return `${count(rows)} rows, ${speed}`;
  const part = total.amount === 0 ? 1 : Math.min(1, done / total.amount);
  const width = 24;
  const filled = Math.round(part * width);
  const of =
    total.unit === "rows"
      ? `${count(rows)} of ${count(total.amount)} rows`
      : `${count(rows)} rows, ${readableBytes(done)} of ${readableBytes(total.amount)}`;
  // Assumes that the rest has as many rows per unit as the part so far.
  const left = done > 0 && rate > 0 ? `, ${duration(((total.amount - done) * rows) / done / rate)} left` : "";
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${Math.floor(part * 100)} %, ${of}, ${speed}${left}`;
}

/** A number with thousands separators: "12,345". */
export const count = (value: number): string => value.toLocaleString("en");

/** "2 h 5 min", "3 min 20 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
