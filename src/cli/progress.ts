import { type Io, widthOf } from "./io.js";
import { printable } from "../words/readable.js";

/** A line on standard error that is overwritten in place; undefined if that is not a terminal. */
export function progressLine({ stderr }: Io): { show(text: string): void; clear(): void } | undefined {
  if (stderr.isTTY !== true) return undefined;
  const empty = "\r\u001b[2K";
  return {
    show: (text) => {
      // A line that wraps could not be overwritten.
      stderr.write(empty + printable(text).slice(0, widthOf(stderr, 80) - 1));
    },
    clear: () => {
      stderr.write(empty);
    },
  };
}

const width = 24;

/** `[######------------------] 12/48`, to start such a line with. */
export function bar(done: number, total: number): string {
  const filled = total === 0 ? width : Math.round((done / total) * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${done}/${total}`;
}
