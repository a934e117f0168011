import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ApiError } from "../../src/words/errors.js";
import { type Filter, filterLimits, parseFilter } from "../../src/words/filter.js";
import { campaign } from "../support/campaign.js";

/** The error for a filter. */
function refusal(input: unknown): { param: string | null; message: string } {
  try {
    parseFilter(input);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    expect(error.status).toBe(400);
    return { param: error.envelope.error.param, message: error.message };
  }
  throw new Error(`was accepted: ${JSON.stringify(input).slice(0, 200)}`);
}

describe("the flat dialect", () => {
  test("requires all its keys to be equal, in their order", () => {
    expect(parseFilter({ a: "x", b: 5, c: false })).toEqual({
      type: "and",
      filters: [
        { type: "eq", key: "a", value: "x" },
        { type: "eq", key: "b", value: 5 },
        { type: "eq", key: "c", value: false },
      ],
    });
  });

  test("may use the grammar's words as keys unless they form the grammar", () => {
    const flats: object[] = [
      { type: "invoice" },
      { key: "k" },
      { value: 1 },
      { type: "eq-like", other: 1 },
      { type: "all" },
      { type: 5 },
    ];
    for (const flat of flats) {
      expect(parseFilter(flat)).toEqual({
        type: "and",
        filters: Object.entries(flat).map(([key, value]) => ({ type: "eq", key, value: value as unknown })),
      });
    }
  });

  test("keeps prototype names as keys", () => {
    const input: unknown = JSON.parse('{"__proto__": "p", "constructor": 1, "toString": true}');
    const parsed = parseFilter(input);
    expect(parsed).toEqual({
      type: "and",
      filters: [
        { type: "eq", key: "__proto__", value: "p" },
        { type: "eq", key: "constructor", value: 1 },
        { type: "eq", key: "toString", value: true },
      ],
    });
  });

  test("our types take the values that they compare", () => {
    for (const type of ["prefix", "substring"]) {
      expect(refusal({ type, key: "k", value: 1 })).toEqual({
        param: "filters.value",
        message: `filters.value: expected a string for "${type}"`,
      });
    }
    expect(refusal({ type: "exists", key: "k", value: null }).message).toContain('expected true or false for "exists"');
    expect(refusal({ type: "all", key: "k", value: "a" }).message).toContain('expected an array for "all"');
    expect(refusal({ type: "contains", key: "k", value: ["a"] }).message).toContain("expected a string, a number");
  });

  test("accepts only scalar values", () => {
    expect(refusal({ good: 1, bad: null })).toEqual({
      param: "filters.bad",
      message: "filters.bad: expected a string, a number or a boolean",
    });
    for (const bad of [[], {}, Infinity, Number.NaN, undefined]) expect(refusal({ bad }).param).toBe("filters.bad");
  });
});

describe("no filter", () => {
  test.each([[null], [undefined], [{}], [{ type: "and", filters: [] }]])("%j means no filter", (input) => {
    expect(parseFilter(input)).toBeNull();
  });

  test("an `and` of only empty `and`s means no filter; an empty `or` matches nothing", () => {
    const empty = { type: "and", filters: [] };
    expect(parseFilter({ type: "and", filters: [empty, { type: "and", filters: [empty] }] })).toBeNull();
    expect(parseFilter({ type: "or", filters: [] })).toEqual({ type: "or", filters: [] });
    expect(parseFilter({ type: "and", filters: [{ type: "or", filters: [] }] })).not.toBeNull();
  });
});

const value = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const key = fc.oneof(
  fc.string({ maxLength: 256 }),
  fc.constantFrom("__proto__", "constructor", "type", "key", "filters", ""),
);
const valid = fc.letrec<{ filter: Filter; leaf: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    tie("leaf"),
    fc.record({
      type: fc.constantFrom("and" as const, "or" as const),
      filters: fc.array(tie("filter"), { minLength: 1, maxLength: 4 }),
    }),
  ),
  leaf: fc.oneof(
    fc.record({ type: fc.constantFrom("eq" as const, "ne", "gt", "gte", "lt", "lte", "contains"), key, value }),
    fc.record({ type: fc.constantFrom("in" as const, "nin", "all"), key, value: fc.array(value, { maxLength: 5 }) }),
    fc.record({ type: fc.constant("exists" as const), key, value: fc.boolean() }),
    fc.record({ type: fc.constantFrom("prefix" as const, "substring"), key, value: fc.string({ unit: "binary" }) }),
  ),
})).filter;

/** A filter, or any JSON value with the grammar's words as keys and strings anywhere. */
const word = fc.constantFrom("type", "key", "value", "filters", "eq", "in", "and", "or", "__proto__", "toString");
const anything = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(word, fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie("any"), { maxKeys: 4 }),
    fc.record(
      { type: fc.oneof(word, tie("any")), key: tie("any"), value: tie("any"), filters: fc.array(tie("any")) },
      { requiredKeys: ["type"] },
    ),
  ),
})).any;

describe("for every input", () => {
  test("a valid filter is read as written", () => {
    fc.assert(
      fc.property(valid, (filter) => {
        // A nested comparison is read as written; only at the top, a lone `type` is also read as grammar.
        expect(parseFilter(structuredClone(filter))).toEqual(filter);
      }),
      campaign(500),
    );
  });

  test("any flat object of scalars requires all to be equal, unless it is grammar", () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 20 }), (flat) => {
        fc.pre(!("type" in flat));
        expect(parseFilter(flat)).toEqual({
          type: "and",
          filters: Object.entries(flat).map(([name, each]) => ({ type: "eq", key: name, value: each })),
        });
      }),
    );
  });

  test("any JSON value is a filter within the limits, or a 400 that names a path below `filters`", () => {
    let refused = 0;
    fc.assert(
      fc.property(anything, (input) => {
        try {
          const filter = parseFilter(input);
          if (filter !== null) expect(depthOf(filter)).toBeLessThanOrEqual(filterLimits.depth);
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          refused += 1;
          expect(error.status).toBe(400);
          expect(error.envelope.error.param).toMatch(/^filters/);
        }
      }),
      campaign(2000),
    );
    expect(refused).toBeGreaterThan(100);
  });
});

function depthOf(filter: Filter): number {
  return "filters" in filter ? 1 + Math.max(0, ...filter.filters.map(depthOf)) : 1;
}

/** `levels` compounds around a comparison, built without recursion. */
function nest(levels: number, type = "and"): object {
  let filter: object = { type: "eq", key: "k", value: 1 };
  for (let i = 0; i < levels; i += 1) filter = { type, filters: [filter] };
  return filter;
}

describe("the limits", () => {
  test("20 levels, not 21, without a stack overflow at any depth", () => {
    expect(parseFilter(nest(filterLimits.depth - 1))).not.toBeNull();
    for (const levels of [filterLimits.depth, 1000, 100_000]) {
      expect(refusal(nest(levels)).message).toMatch(/nested more than 20 levels deep/);
    }
    let deep: unknown = "x";
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    for (const input of [
      { type: deep },
      { type: "eq", key: deep },
      { type: "eq", key: "k", value: deep },
      { k: deep },
    ]) {
      expect(refusal(input).message).toMatch(/expected/);
    }
  });

  test("500 conditions in total, including compounds", () => {
    const leaf = { type: "eq", key: "k", value: 1 };
    const limit = filterLimits.conditions;
    expect(parseFilter({ type: "or", filters: Array(limit - 1).fill(leaf) })).not.toBeNull();
    expect(refusal({ type: "or", filters: Array(limit).fill(leaf) }).message).toMatch(/at most 500 conditions/);
    const spread = { type: "or", filters: Array(250).fill({ type: "and", filters: [leaf] }) };
    expect(refusal(spread).message).toMatch(/at most 500 conditions/);
  });

  test("2,000 values in all lists together", () => {
    const list = (length: number) => ({ type: "in", key: "k", value: Array(length).fill("v") });
    expect(parseFilter(list(filterLimits.values))).not.toBeNull();
    expect(refusal(list(filterLimits.values + 1)).message).toMatch(/at most 2000 values/);
    expect(refusal({ type: "or", filters: [list(1500), list(501)] })).toEqual({
      param: "filters.filters[1].value",
      message: "filters.filters[1].value: the lists of a filter may have at most 2000 values together",
    });
  });

  test("256 characters in a key", () => {
    const limit = filterLimits.keyLength;
    expect(parseFilter({ ["k".repeat(limit)]: 1 })).not.toBeNull();
    expect(refusal({ ["k".repeat(limit + 1)]: 1 }).message).toMatch(/at most 256 characters/);
    expect(refusal({ type: "eq", key: "k".repeat(limit + 1), value: 1 }).param).toBe("filters.key");
  });
});

describe("errors name the path", () => {
  test.each([
    [{ type: "and", filters: [{ type: "eq", key: "a", value: 1 }, { type: "no" }] }, "filters.filters[1].type"],
    [{ type: "or", filters: {} }, "filters.filters"],
    [{ type: "or", filters: [5] }, "filters.filters[0]"],
    [{ type: "eq", value: 1 }, "filters.key"],
    [{ type: "eq" }, "filters.key"],
    [{ type: "eq", key: "a" }, "filters.value"],
    [{ type: "nin", key: "a", value: ["x", null] }, "filters.value[1]"],
    [{ type: "gt", key: "a", value: [1] }, "filters.value"],
    [{ type: "EQ", key: "a", value: 1 }, "filters.type"],
    [{ type: "toString", key: "a", value: 1 }, "filters.type"],
    [{ type: "and", filters: [], key: "a" }, "filters"],
    [{ type: "and" }, "filters.filters"],
    ["eq", "filters"],
    [[], "filters"],
    [0, "filters"],
  ])("%j: %s", (input, param) => {
    expect(refusal(input).param).toBe(param);
  });
});
