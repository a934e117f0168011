import fc from "fast-check";
import { toNetworkOrder } from "../../src/numbers/float32.js";
import type { TransferRow, TransferStore } from "../../src/words/rows.js";

/** Any well-formed text: control characters, quotes, line breaks, marks and emoji among it. */
export const anyText = (maxLength = 30): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: "binary", maxLength }).map((text) => text.toWellFormed()),
    fc.constantFrom(
      "",
      " ",
      "\ufeff",
      "\ufeffx",
      'a "b", c;\td',
      "a\r\nb\rc\n",
      "\u2028",
      "null",
      "[1]",
      "\0",
      "漢字 👍🏽",
    ),
  );

/** JSON objects as PostgreSQL writes jsonb: numbers may have more digits than a double. */
const anyMetadata: fc.Arbitrary<string | null> = fc.oneof(
  fc.constantFrom(null, "{}", '{"n": 12345678901234567890.50}', '{"a": {"b": [1e400, "\\"}"]}}'),
  fc.dictionary(anyText(5), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }).map((value) => JSON.stringify(value)),
);

/** Finite float32 numbers; zeros keep their sign. */
export const anyVector = (dimensions: number): fc.Arbitrary<Float32Array> =>
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: dimensions, maxLength: dimensions })
    .map((numbers) => Float32Array.from(numbers));

/** Microseconds from 1970 to 2200, which NDJSON writes as seconds with six decimals. */
const anyMoment = fc.integer({ min: 0, max: 7_258_118_400_000_000 });

/** Rows of a store that have all that an export writes. */
export const anyRows = (storeId: string, constraints: { minLength?: number; maxLength?: number } = {}) =>
  fc.integer({ min: 1, max: 5 }).chain((dimensions) =>
    fc.array(
      fc.record({
        at: fc.constant(""),
        key: fc.constant(""),
        id: anyText(),
        storeId: fc.constant<string | null>(storeId),
        content: anyText(200),
        metadata: anyMetadata,
        vector: fc.option(anyVector(dimensions).map(toNetworkOrder), { freq: 4 }),
        createdAt: fc.option(anyMoment, { freq: 4 }),
      }),
      constraints,
    ),
  );

export const anyStore: fc.Arbitrary<TransferStore> = fc.record({
  id: anyText().filter((id) => id !== ""),
  name: anyText(),
  description: fc.option(anyText()),
  metadata: anyMetadata,
  ownerUserId: fc.option(anyText()),
  ownerTeamId: fc.option(anyText()),
  ownerKeyId: fc.option(anyText()),
  expiresAfter: fc.constantFrom(null, '{"anchor": "last_active_at", "days": 7}'),
  createdAt: fc.option(anyMoment),
  embeddingModel: fc.option(anyText()),
  embeddingDimensions: fc.option(fc.integer({ min: 1, max: 16_000 })),
  asksDimensions: fc.boolean(),
  prompts: fc.option(
    fc
      .record({
        queryPrefix: anyText(),
        documentPrefix: anyText(),
        inputType: fc.option(fc.record({ query: anyText(), document: anyText() })),
      })
      .map((prompts) => JSON.stringify(prompts)),
  ),
  search: fc.constantFrom(null, "{}", '{"mode": "hybrid", "language": "english"}'),
});

/** What a file keeps of a row: all but its place. */
export const keptOf = (rows: readonly TransferRow[]): TransferRow[] => rows.map((row) => ({ ...row, at: "", key: "" }));
