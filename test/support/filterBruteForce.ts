import fc from "fast-check";
import { ExactNumber } from "../../src/words/exactJson.js";

/** The filter grammar as a client writes it: OpenAI's, or litellm-pgvector's flat one. */
type Scalar = string | number | ExactNumber | boolean;
type Typed =
  | { type: "eq" | "ne" | "gt" | "gte" | "lt" | "lte"; key: string; value: Scalar }
  | { type: "in" | "nin"; key: string; value: Scalar[] }
  | { type: "and" | "or"; filters: Typed[] };
export type ClientFilter = { typed: Typed } | { flat: Record<string, Scalar> };

/** Evaluates a filter by its documentation: types matter, and a missing key matches only ne and nin. */
export function matches(filter: ClientFilter | null, metadata: Record<string, unknown>): boolean {
  if (filter === null) return true;
  if ("typed" in filter) return matchesTyped(filter.typed, metadata);
  return Object.entries(filter.flat).every(([key, value]) => same(valueOf(metadata, key), value));
}

function matchesTyped(filter: Typed, metadata: Record<string, unknown>): boolean {
  switch (filter.type) {
    case "and":
      return filter.filters.every((each) => matchesTyped(each, metadata));
    case "or":
      return filter.filters.some((each) => matchesTyped(each, metadata));
    case "in":
      return filter.value.some((each) => same(valueOf(metadata, filter.key), each));
    case "nin":
      return !filter.value.some((each) => same(valueOf(metadata, filter.key), each));
    case "eq":
      return same(valueOf(metadata, filter.key), filter.value);
    case "ne":
      return !same(valueOf(metadata, filter.key), filter.value);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return inOrder(filter.type, compare(valueOf(metadata, filter.key), filter.value));
  }
}

function inOrder(type: "gt" | "gte" | "lt" | "lte", order: number | null): boolean {
  if (order === null) return false;
  if (type === "gt") return order > 0;
  if (type === "gte") return order >= 0;
  return type === "lt" ? order < 0 : order <= 0;
}

const valueOf = (metadata: Record<string, unknown>, key: string) =>
  Object.hasOwn(metadata, key) ? metadata[key] : undefined;

const same = (found: unknown, value: Scalar) => found === value || compare(found, value) === 0;

/** Negative, zero or positive; null for types without a common order. */
function compare(found: unknown, value: Scalar): number | null {
  if (typeof found === "string" && typeof value === "string") return byCodePoint(found, value);
  if (isNumber(found) && isNumber(value))
    return Number(scaled(found) > scaled(value)) - Number(scaled(found) < scaled(value));
  if (typeof found === "boolean" && typeof value === "boolean") return Number(found) - Number(value);
  return null;
}

const isNumber = (value: unknown): value is number | ExactNumber =>
  typeof value === "number" || value instanceof ExactNumber;

/** The decimal that JSON has of a number, times 10^400: whole for every double and for our numbers of more digits. */
function scaled(value: number | ExactNumber): bigint {
  const [digits = "", exponent = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(400 + Number(exponent) - fraction.length);
}

/** By code point: JavaScript's `<` compares UTF-16 units, which puts an emoji before U+FF5E. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Few keys, so that filters match them; "absent" is never in metadata. */
const keys = [
  "a",
  "b",
  "",
  " ",
  'qu"ote',
  "d.o.t",
  "back\\slash",
  "'; DROP",
  "{a}",
  "$1",
  "é",
  "e\u0301",
  "😀",
  "type",
];
const oddKeys = [...keys, "__proto__", "constructor", "0"];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "a", "A", "b", "ab", "5", "true", "null", "é", "e\u0301", "z") },
  { weight: 3, arbitrary: fc.constantFrom("😀", "\uFF5E", "\uD7FF", "\u{10000}", "\u{10FFFF}", '"', "\\", "%", "{}") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 5 }).filter((value) => !value.includes("\0")) },
);
/** Numbers that are one double, but several decimals. */
const neighbours = [
  "9007199254740993",
  "-9007199254740993",
  "1803456789012345679",
  "0.10000000000000001",
  "0.30000000000000001",
];
const isRounded = (whole: bigint) => scaled(Number(whole)) !== scaled(new ExactNumber(String(whole)));
const number = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, -0, 1, -1, 5, 0.1, 0.2, 0.1 + 0.2, 0.3) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      1e21,
      1e-7,
      2 ** 53,
      2 ** 53 + 2,
      1803456789012345600,
      -(2 ** 60),
      5e-324,
      Number.MAX_VALUE,
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom(...neighbours.map((digits) => new ExactNumber(digits))) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  {
    weight: 1,
    arbitrary: fc
      .bigInt({ min: 2n ** 53n, max: 2n ** 80n })
      .filter(isRounded)
      .map((n) => new ExactNumber(String(n))),
  },
);
const scalar = fc.oneof(text, number, fc.boolean());

const anyValue = fc.oneof(
  { weight: 8, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.array(fc.tuple(fc.constantFrom(...keys), scalar), { maxLength: 2 }).map(objectOf) },
);

/** Like JSON.parse, `Object.fromEntries` creates an own property "__proto__". */
function objectOf<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries);
}

export const anyMetadata = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.tuple(fc.constantFrom(...oddKeys), anyValue), { maxLength: 6 }).map(objectOf) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const filterKey = fc.constantFrom(...oddKeys, "absent");
const comparison = fc.record({
  type: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte"),
  key: filterKey,
  value: scalar,
});
const membership = fc.record({
  type: fc.constantFrom("in", "nin"),
  key: filterKey,
  value: fc.array(scalar, { maxLength: 8 }),
});
const typed = fc.letrec<{ filter: Typed }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: comparison },
    { weight: 2, arbitrary: membership },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constantFrom("and", "or"), filters: fc.array(tie("filter"), { maxLength: 4 }) }),
    },
  ),
})).filter;

export const anyFilter: fc.Arbitrary<ClientFilter | null> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 6, arbitrary: typed.map((filter) => ({ typed: filter })) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom(...keys, "absent"), scalar), { maxLength: 2 })
      .map((entries) => ({ flat: objectOf(entries) })),
  },
);
