/*
 * Grapheme borders: the places between characters as a reader sees them. A family emoji, a letter with its marks, CR LF
 * and a Hangul syllable are one grapheme each. The segmenter copies its text and ignores what precedes it, so it gets
 * only the neighbourhood of a place, from the nearest border that is certain without context.
 */

/**
 * In UTF-16 units. Nothing that people write is as long: a longer grapheme, such as a letter with a thousand marks,
 * has borders of its own after each so many units, so that no chunk grows with it.
 */
const longest = 64;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The last grapheme border at or before `at`. @param floor a known border */
export function borderBefore(text: string, floor: number, at: number): number {
  if (at <= floor) return floor;
  if (at >= text.length) return text.length;
  let start = at;
  while (start > floor && !isPlainBorder(text, start)) start -= 1;
  if (start === at) return at;
  // A character of two UTF-16 units may begin at `at`.
  const around = segmenter.segment(text.slice(start, at + 2));
  let border = start + (around.containing(at - start)?.index ?? 0);
  for (let next = border; next <= at; next = characterStart(text, border + longest)) border = next;
  return border;
}

/** The first grapheme border at or after `at`. @param floor a known border */
export function borderAfter(text: string, floor: number, at: number): number {
  const before = borderBefore(text, floor, at);
  return before === at ? at : graphemeEnd(text, before);
}

/** Where the grapheme that begins at `start` ends. */
export function graphemeEnd(text: string, start: number): number {
  for (let length = 32; ; length *= 2) {
    const part = text.slice(start, start + length);
    const size = segmenter.segment(part).containing(0)?.segment.length ?? 0;
    if (size > longest) return characterStart(text, start + longest);
    // The last unit of the part may be half a character.
    if (size < part.length - 1 || start + length >= text.length) return start + size;
  }
}

/** The place itself, or the one before if that is inside a character of two units. */
function characterStart(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 ? at - 1 : at;
}

/** Whether the two units around a border prove it, as for most borders in frequent scripts. */
function isPlainBorder(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return before === 0x0a || (isPlain(before) && isPlain(text.charCodeAt(at)));
}

/** Printable ASCII, Latin, Greek, Cyrillic, Han: characters that never join each other. */
function isPlain(unit: number): boolean {
  return (
    (unit >= 0x20 && unit < 0x7f) ||
    (unit >= 0xc0 && unit < 0x300) ||
    (unit >= 0x370 && unit < 0x483) ||
    (unit >= 0x4e00 && unit <= 0x9fff)
  );
}
