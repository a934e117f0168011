import { type Block, DocumentError, type Place } from "../words/document.js";
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

/** In characters, as of the longest file names. */
const longestName = 255;

/** The name of a sheet or an attachment, cut if it is long: each of its chunks holds it. */
export function shortName(name: string): string {
  if (name.length <= longestName) return name;
  return `${name.slice(0, longestName - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** In characters. Text is counted paragraph by paragraph, and a file of 0.3 MB can unfold to one of 100 MB. */
const longestParagraph = 10 * 2 ** 20;

/** Texts as one. @throws DocumentError if it is longer than any honest file's */
export function joined(texts: readonly string[], separator: string): string {
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0);
  if (length > longestParagraph) throw tooLong();
  return texts.join(separator);
}

/** A paragraph's text with more at its end. @throws DocumentError if it is longer than any honest file's */
export function lengthened(text: string, more: string): string {
  if (text.length + more.length > longestParagraph) throw tooLong();
  return text + more;
}

function tooLong(): DocumentError {
  const limit = longestParagraph.toLocaleString("en");
  return new DocumentError(
    "invalid_file",
    `The document has a paragraph with more than ${limit} characters. Split it.`,
  );
}
