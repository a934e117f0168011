import fc from "fast-check";
import { testDimensions } from "./settings.js";

/**
 * Rows that a database may contain: any text without U+0000, numbers longer than JavaScript's, metadata that is not an
 * object.
 */
export interface RandomRow {
  id: string;
  content: string;
  /** JSON text, or null. */
  metadata: string | null;
  embedding: number[];
  /** Microseconds of the year 2025. */
  micros: number;
}

const noNul = (text: string) => !text.includes("\0");
const textOf = (constraints: { minLength?: number; maxLength?: number } = {}) =>
  fc.string({ unit: "grapheme", ...constraints }).filter(noNul);

const metadata = fc.oneof(
  fc.constantFrom(
    null,
    "{}",
    '{"n": 12345678901234567890123}',
    '{"n": 1.10, "m": 1e25, "o": -0.000001}',
    "[1, 2]",
    '"text"',
    "7",
  ),
  fc
    .dictionary(textOf({ minLength: 1, maxLength: 5 }), fc.jsonValue({ maxDepth: 2, noUnicodeString: false }), {
      maxKeys: 4,
    })
    .map((value) => JSON.stringify(value))
    // PostgreSQL's jsonb allows neither.
    .filter((text) => !text.includes("\\u0000") && !/\\ud[89a-f]/i.test(text)),
);

export const randomRows = (count: { minLength: number; maxLength: number }): fc.Arbitrary<RandomRow[]> =>
  fc.uniqueArray(
    fc.record({
      id: textOf({ minLength: 1, maxLength: 20 }),
      content: fc.oneof(textOf(), fc.constantFrom('a,b;c\t"d"\r\ne', " ", "\ufeff", "{}", "null")),
      metadata,
      embedding: fc.array(
        fc.integer({ min: -1000, max: 1000 }).map((n) => n / 128),
        {
          minLength: testDimensions,
          maxLength: testDimensions,
        },
      ),
      micros: fc.integer({ min: 0, max: 31_000_000_000_000 }).map((micros) => 1_735_689_600_000_000 + micros),
    }),
    { ...count, selector: (row) => row.id },
  );
