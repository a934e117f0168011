/** Measures texts, in tokens or in characters. */
export interface Counter {
  count: (text: string) => number;
  /** Measures a text up to `most` units (tokens or characters). */
  measure: (text: string, most: number) => Measured;
}

/** A text whose parts can be counted without counting all of it again. Positions are UTF-16 units, up to `reach`. */
export interface Measured {
  /**
   * Where the longest beginning of at most `most` units ends. A shorter beginning that ends inside a token may have
   * more units.
   */
  reach: number;
  /** Number of units between two positions. */
  range: (from: number, to: number) => number;
  /** Where the longest part that ends at `to` and has at most `most` units begins. */
  tail: (to: number, most: number) => number;
}

/** Counts characters as UTF-16 units, as a string's length does in JavaScript and Java. */
export const characterCounter: Counter = {
  count: (text) => text.length,
  measure: (text, most) => ({
    reach: Math.min(text.length, most),
    range: (from, to) => to - from,
    tail: (to, length) => Math.max(0, to - length),
  }),
};
