import fc from "fast-check";
import { ExactNumber } from "../../src/words/exactJson.js";

/** The filter grammar as a client writes it: OpenAI's, or litellm-pgvector's flat one. */
type Scalar = string | number | ExactNumber | boolean;
type Typed =
  | { type: "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "contains"; key: string; value: Scalar }
  | { type: "in" | "nin" | "all"; key: string; value: Scalar[] }
  | { type: "exists"; key: string; value: boolean }
  | { type: "prefix" | "substring"; key: string; value: string }
  | { type: "and" | "or"; filters: Typed[] };
export type ClientFilter = { typed: Typed } | { flat: Record<string, Scalar> };

/** Evaluates a filter by its documentation: types matter, and a missing key matches only ne, nin and exists: false. */
export function matches(filter: ClientFilter | null, metadata: Record<string, unknown>): boolean {
  if (filter === null) return true;
  if ("typed" in filter) return matchesTyped(filter.typed, metadata);
  return Object.entries(filter.flat).every(([key, value]) => holds(valueOf(metadata, key), value));
}

function matchesTyped(filter: Typed, metadata: Record<string, unknown>): boolean {
  switch (filter.type) {
    case "and":
      return filter.filters.every((each) => matchesTyped(each, metadata));
    case "or":
      return filter.filters.some((each) => matchesTyped(each, metadata));
    case "in":
      return filter.value.some((each) => holds(valueOf(metadata, filter.key), each));
    case "nin":
      return !filter.value.some((each) => holds(valueOf(metadata, filter.key), each));
    case "eq":
      return holds(valueOf(metadata, filter.key), filter.value);
    case "ne":
      return !holds(valueOf(metadata, filter.key), filter.value);
    case "contains":
      return hasAll(valueOf(metadata, filter.key), [filter.value]);
    case "all":
      return hasAll(valueOf(metadata, filter.key), filter.value);
    case "exists":
      return ((valueOf(metadata, filter.key) ?? null) !== null) === filter.value;
    case "prefix":
    case "substring": {
      const found = valueOf(metadata, filter.key);
      const at = typeof found === "string" ? found.indexOf(filter.value) : -1;
      return filter.type === "prefix" ? at === 0 : at >= 0;
    }
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

/** The value of the key of that very name; without it, the nested one that the key's parts lead to. */
const valueOf = (metadata: Record<string, unknown>, key: string) =>
  Object.hasOwn(metadata, key)
    ? metadata[key]
    : key.split(".").includes("")
      ? undefined
      : nestedIn(metadata, key.split("."));

function nestedIn(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key);
  return isObject ? nestedIn((value as Record<string, unknown>)[key], rest) : undefined;
}

/** A value, or an array with it. */
const holds = (found: unknown, value: Scalar) => same(found, value) || hasAll(found, [value]);
const hasAll = (found: unknown, values: readonly Scalar[]) =>
  Array.isArray(found) && values.every((value) => found.some((each) => same(each, value)));
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
const paths = ["a.a", "a.b", "b.a", "a.b.a", "b.__proto__", "a..b", ".", "type.a"];
const oddKeys = [...keys, "a.b", "a", "__proto__", "constructor", "0"];

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

const nestedValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 2, arbitrary: scalar.map((value) => ({ a: value })) },
);
const anyValue = fc.oneof(
  { weight: 8, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.array(fc.oneof(scalar, fc.constantFrom(null, ["a"])), { maxLength: 4 }) },
  {
    weight: 3,
    arbitrary: fc.array(fc.tuple(fc.constantFrom("a", "b", ...keys), nestedValue), { maxLength: 3 }).map(objectOf),
  },
);

/** Like JSON.parse, `Object.fromEntries` creates an own property "__proto__". */
function objectOf<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries);
}

export const anyMetadata = fc.oneof(
  { weight: 9, arbitrary: fc.array(fc.tuple(fc.constantFrom(...oddKeys), anyValue), { maxLength: 6 }).map(objectOf) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const filterKey = fc.constantFrom(...oddKeys, ...paths, "absent");
const comparison = fc.record({
  type: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte", "contains"),
  key: filterKey,
  value: scalar,
});
const membership = fc.record({
  type: fc.constantFrom("in", "nin"),
  key: filterKey,
  // Above 50 values, SQL does not look up each one.
  value: fc.oneof(
    { weight: 8, arbitrary: fc.array(scalar, { maxLength: 8 }) },
    { weight: 1, arbitrary: fc.array(scalar, { minLength: 51, maxLength: 60 }) },
  ),
});
const extension = fc.oneof(
  fc.record({ type: fc.constant("all" as const), key: filterKey, value: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ type: fc.constant("exists" as const), key: filterKey, value: fc.boolean() }),
  fc.record({ type: fc.constantFrom("prefix" as const, "substring" as const), key: filterKey, value: text }),
);
const typed = fc.letrec<{ filter: Typed }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: comparison },
    { weight: 2, arbitrary: membership },
    { weight: 2, arbitrary: extension },
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
