/*
 * Grapheme borders: the places between what a reader takes for characters. A family emoji, a letter with its marks, CR LF and a Hangul
 * syllable are one each. The segmenter copies the text it is given and knows nothing of what stands before it, so it gets the
 * neighbourhood of a place, from the nearest border that is one in any text.
 */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The last grapheme border of `text` that is not after `at`; `floor` is one. */
export function borderBefore(text: string, floor: number, at: number): number {
  if (at <= floor) return floor;
  if (at >= text.length) return text.length;
  let start = at;
  while (start > floor && !isPlainBorder(text, start)) start -= 1;
  if (start === at) return at;
  // A character of two units may begin at `at`.
  const around = segmenter.segment(text.slice(start, at + 2));
  return start + (around.containing(at - start)?.index ?? 0);
}

/** The first grapheme border of `text` that is not before `at`; `floor` is one. */
export function borderAfter(text: string, floor: number, at: number): number {
  const before = borderBefore(text, floor, at);
  return before === at ? at : graphemeEnd(text, before);
}

/** Where the grapheme ends that begins at `start`. */
export function graphemeEnd(text: string, start: number): number {
  for (let length = 32; ; length *= 2) {
    const part = text.slice(start, start + length);
    const size = segmenter.segment(part).containing(0)?.segment.length ?? 0;
    // The last unit of the part may be half a character.
    if (size < part.length - 1 || start + length >= text.length) return start + size;
  }
}

/** Whether a border is certain from the two units around it; most in texts of the more frequent scripts are. */
function isPlainBorder(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  return before === 0x0a || (isPlain(before) && isPlain(text.charCodeAt(at)));
}

/** ASCII without controls, Latin, Greek, Cyrillic, Han: letters and signs that never join one another. */
function isPlain(unit: number): boolean {
  return (
    (unit >= 0x20 && unit < 0x7f) ||
    (unit >= 0xc0 && unit < 0x300) ||
    (unit >= 0x370 && unit < 0x483) ||
    (unit >= 0x4e00 && unit <= 0x9fff)
  );
}
