import type { Io } from "../io.js";
import { progressLine } from "../progress.js";
import { readableBytes } from "../table.js";

/** Between two lines where nobody looks on but a log. */
const lineEveryMs = 10_000;
const paintEveryMs = 100;

/** What `done` of a source or a target counts. */
type Total = { amount: number; unit: "rows" | "bytes" } | null;

interface Reached {
  /** Of the total. */
  done: number;
  rows: number;
  /** Of these, rows of an earlier run. */
  before: number;
}

/** How far a long work has come: a bar on a terminal, a line now and then in a log, on standard error. */
export interface ProgressBar {
  show(reached: Reached): void;
  clear(): void;
}

/** @param total null: not known */
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

/** @param rate rows a second, of this run */
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
  // As many rows in each part of it as there were so far.
  const left = done > 0 && rate > 0 ? `, ${duration(((total.amount - done) * rows) / done / rate)} left` : "";
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${Math.floor(part * 100)} %, ${of}, ${speed}${left}`;
}

export const count = (value: number): string => value.toLocaleString("en");

/** "2 h 5 min", "3 min 20 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
