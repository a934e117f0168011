import { isRecord } from "../api/failure.js";

/** What is wrong with a text that should be a JSON object. Browsers say it in English only, each in its own words. */
export type JsonFault = "object" | "end" | "syntax" | { line: number; column: number };

/** @returns null: nothing is wrong */
export function jsonFault(text: string): JsonFault | null {
  try {
    return isRecord(JSON.parse(text)) ? null : "object";
  } catch (error) {
    return faultIn(text, error instanceof Error ? error.message : "");
  }
}

function faultIn(text: string, message: string): JsonFault {
  const place = /\bline (\d+),? column (\d+)/i.exec(message);
  const position = /\bposition (\d+)/i.exec(message)?.[1];
  const isAtEnd = position !== undefined && Number(position) >= text.trimEnd().length;
  if (isAtEnd || /\bend of (?:JSON|data)|\bEOF\b|unterminated/i.test(message)) return "end";
  if (place !== null) return { line: Number(place[1]), column: Number(place[2]) };
  if (position === undefined) return "syntax";
  const lines = text.slice(0, Number(position)).split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
}
