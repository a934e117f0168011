import type { Block, Place } from "../words/document.js";
import { clean } from "./encoding.js";

/** Splits a plain text into paragraphs at blank lines. */
export function* paragraphsOf(text: string, place: Place): Generator<Block> {
  for (const part of clean(text)
    .replaceAll(/\r\n?/g, "\n")
    .split(/\n\s*\n/)) {
    const paragraph = part.replace(/^\s*\n/, "").trimEnd();
    if (paragraph !== "") yield { kind: "text", text: paragraph, place };
  }
}
