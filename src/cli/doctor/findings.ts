import type { Log } from "../../process/log.js";
import { printable } from "../io.js";

/** One line of the doctor's report. */
export interface Finding {
  check: string;
  status: "ok" | "warn" | "fail";
  message: string;
  /** What to do about it; absent where nothing needs doing. */
  todo?: string;
}

/** Takes findings as they are made, so that a slow check does not hold back what is known already. */
export interface Findings {
  ok(check: string, message: string): void;
  warn(check: string, message: string, todo: string): void;
  fail(check: string, message: string, todo: string): void;
}

export interface Context {
  findings: Findings;
  log: Log;
}

/** A failure's own words, on one line: they name host, role or database, never a password. */
export function wordsOf(error: unknown): string {
  const words = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
  return printable(words.replace(/^\w*Error: /i, ""));
}
