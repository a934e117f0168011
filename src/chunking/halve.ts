import { findCut } from "./borders.js";

/** In UTF-16 units. A model that refuses less than twice this refuses everything. */
const shortest = 16;

/**
 * Where to cut a chunk that is too long for its model: the best border in its middle third, never inside a grapheme.
 * @returns null if the text is too short to be cut
 */
export function findMiddle(text: string): number | null {
  if (text.length < 2 * shortest) return null;
  const span = { block: { kind: "text", text, place: {} }, section: null, start: 0, end: text.length } as const;
  const cut = findCut(text, [span], 0, Math.ceil((2 / 3) * text.length));
  return cut > 0 && cut < text.length && text.slice(0, cut).trim() !== "" && text.slice(cut).trim() !== "" ? cut : null;
}
