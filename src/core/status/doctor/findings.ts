import { printable } from "../../../words/readable.js";

/** One line of the doctor's report. */
export interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  message: string;
  /** What to do; absent if all is well. */
  todo?: string;
}

/** Receives each finding at once, so that a slow check does not delay the others. */
export interface Findings {
  ok(check: string, message: string): void;
  warn(check: string, message: string, todo: string): void;
  fail(check: string, message: string, todo: string): void;
}

/** @param found gets each finding */
export const findingsTo = (found: (finding: Finding) => void): Findings => ({
  ok: (check, message) => {
    found({ check, status: "ok", message });
  },
  warn: (check, message, todo) => {
    found({ check, status: "warn", message, todo });
  },
  fail: (check, message, todo) => {
    found({ check, status: "fail", message, todo });
  },
});

/** An error's message on one line. It may name host, role or database, but no password. */
export function wordsOf(error: unknown): string {
  const words = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
  return printable(words.replace(/^\w*Error: /i, ""));
}
