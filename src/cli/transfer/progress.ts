import type { Io } from "../io.js";
import { progressLine } from "../progress.js";
import { readableBytes } from "../table.js";

/** Between two lines where nobody looks on but a log. */
const lineEveryMs = 10_000;
const paintEveryMs = 100;

/** How far a long work has come: a bar on a terminal, a line now and then in a log, on standard error. */
export interface ProgressBar {
  show(done: number, rows: number): void;
  clear(): void;
}

/** @param total of what `done` counts; null: not known */
export function progressBar(io: Io, total: { amount: number; unit: "rows" | "bytes" } | null): ProgressBar {
  const terminal = progressLine(io);
  const begun = performance.now();
  let first: { done: number; rows: number } | null = null;
  let shownAt = terminal === undefined ? begun : -Infinity;
  return {
    show: (done, rows) => {
      first ??= { done, rows };
      const now = performance.now();
      if (now - shownAt < (terminal === undefined ? lineEveryMs : paintEveryMs)) return;
      shownAt = now;
      const seconds = (now - begun) / 1000;
      const text = describe(done, rows, {
        total,
        rate: (rows - first.rows) / seconds,
        share: (done - first.done) / seconds,
      });
      if (terminal !== undefined) terminal.show(text);
      else io.stderr.write(`${text}\n`);
    },
    clear: () => terminal?.clear(),
  };
}

function describe(
  done: number,
  rows: number,
  { total, rate, share }: { total: { amount: number; unit: "rows" | "bytes" } | null; rate: number; share: number },
): string {
  const speed = `${count(Math.round(rate))} rows/s`;
  if (total === null) return `${count(rows)} rows, ${speed}`;
  const part = total.amount === 0 ? 1 : Math.min(1, done / total.amount);
  const width = 24;
  const filled = Math.round(part * width);
  const of =
    total.unit === "rows"
      ? `${count(rows)} of ${count(total.amount)} rows`
      : `${count(rows)} rows, ${readableBytes(done)} of ${readableBytes(total.amount)}`;
  const left = share > 0 ? `, ${duration((total.amount - done) / share)} left` : "";
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
