import { type Io, printable } from "./io.js";

/** One line on the terminal that is written over; undefined in a pipe, where nobody looks on. */
export function progressLine({ stderr }: Io): { show(text: string): void; clear(): void } | undefined {
  if (stderr.isTTY !== true) return undefined;
  const empty = "\r\u001b[2K";
  return {
    show: (text) => {
      // A line that breaks could not be written over.
      stderr.write(empty + printable(text).slice(0, (stderr.columns ?? 80) - 1));
    },
    clear: () => {
      stderr.write(empty);
    },
  };
}

const width = 24;

/** `[######------------------] 12/48`, for the beginning of such a line. */
export function bar(done: number, total: number): string {
  const filled = total === 0 ? width : Math.round((done / total) * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${done}/${total}`;
}
