/** Measures texts, in tokens or in characters. */
export interface Counter {
  count: (text: string) => number;
  /** A text as far as it has at most `most` units. */
  measure: (text: string, most: number) => Measured;
}

/** A text whose parts are counted without counting all of it again. Positions are in UTF-16 units, none after `reach`. */
export interface Measured {
  /** Where its longest beginning of at most `most` units ends; a shorter one may have more, when it ends within a token. */
  reach: number;
  /** Units of the text between two positions. */
  range: (from: number, to: number) => number;
  /** Where the longest part begins that ends at `to` and has at most `most` units. */
  tail: (to: number, most: number) => number;
}

/** Characters are UTF-16 units, as the length of a string counts them in JavaScript and Java. */
export const characterCounter: Counter = {
  count: (text) => text.length,
  measure: (text, most) => ({
    reach: Math.min(text.length, most),
    range: (from, to) => to - from,
    tail: (to, length) => Math.max(0, to - length),
  }),
};
