import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ApiError } from "../../src/words/errors.js";
import { parseFilter } from "../../src/words/filter.js";
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

/** What senders write who mean OpenAI's grammar. */
const nearMisses: [object, RegExp][] = [
  [{ typ: "eq", key: "kind", value: "pet" }, /^filters\.type: is required: expected one of eq, /],
  [{ key: "k", value: "v" }, /^filters\.type: is required/],
  [{ op: "eq", key: "k", value: "v" }, /^filters\.type: is required/],
  [{ type: "eq", key: "k" }, /^filters\.value: is required/],
  [{ type: "eq", value: "v" }, /^filters\.key: is required/],
  [{ type: "eq", kee: "k", value: "v" }, /takes only "type", "key" and "value", not "kee"/],
  [{ type: "eq", name: "k" }, /takes only "type", "key" and "value", not "name"/],
  [{ type: "equals", key: "k", value: "v" }, /^filters\.type: expected one of/],
  [{ type: "and", filter: [] }, /an "and" filter takes only "type" and "filters", not "filter"/],
  [{ type: "or" }, /^filters\.filters: expected an array/],
  [{ filters: [{ type: "eq", key: "k", value: "v" }] }, /^filters\.type: is required/],
  [{ typ: "eq", kye: "k", value: "v" }, /looks like \{"type": …, "key": …/],
  [{ Type: "eq", Key: "k", Value: "v" }, /looks like/],
  [{ operator: "eq", field: "k", value: "v" }, /looks like/],
  [{ type: "EQ", Key: "k", Value: "v" }, /looks like|expected one of/],
  [{ op: "=", field: "tenant", value: "A" }, /looks like/],
  [{ operator: "EQ", field: "k", val: "v" }, /looks like/],
  [{ Op: ">=", field: "year", value: 2024 }, /looks like/],
];

describe("a malformed typed filter is never taken for a flat one", () => {
  test.each(nearMisses)("%j", (filter, message) => {
    expect(refusal(filter).message).toMatch(message);
    // Nor inside a typed one.
    expect(refusal({ type: "and", filters: [filter] }).param).toMatch(/^filters\.filters\[0\]/);
  });

  const slip = (name: string) => [
    name.slice(1),
    `${name}s`,
    name.toUpperCase(),
    `${name[1]}${name[0]}${name.slice(2)}`,
  ];
  const words = ["type", "key", "value", "filters"];
  /** A comparison or a compound with one word left out or misspelt. */
  const damaged = fc
    .tuple(
      fc.oneof(
        fc.record({ type: fc.constantFrom("eq", "ne", "gte"), key: fc.string(), value: fc.string() }),
        fc.record({ type: fc.constantFrom("in", "nin"), key: fc.string(), value: fc.array(fc.integer()) }),
        fc.record({
          type: fc.constantFrom("and", "or"),
          filters: fc.constant([{ type: "eq", key: "k", value: 1 }]),
        }),
      ),
      fc.constantFrom(...words),
      fc.option(fc.nat(3)),
    )
    .filter(([filter, word]) => word in filter)
    .map(([filter, word, how]) => {
      const wrong = how === null ? [] : [slip(word)[how] ?? ""];
      return Object.fromEntries(
        Object.entries(filter).flatMap(([name, value]) =>
          name !== word ? [[name, value] as const] : wrong.map((other) => [other, value] as const),
        ),
      );
    });

  test("whichever word is missing or misspelt", () => {
    fc.assert(
      fc.property(damaged, (filter) => {
        expect(refusal(filter).param).toMatch(/^filters/);
      }),
      campaign(500),
    );
  });

  test("words of the grammar with other values stay flat keys", () => {
    const flat = fc.dictionary(
      fc.constantFrom("type", "status", "lang", "kind"),
      fc.constantFrom("invoice", "letter", "equals", 5, true),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(flat, (filter) => {
        const equal = Object.entries(filter).map(([key, value]) => ({ type: "eq", key, value }));
        expect(parseFilter(filter)).toEqual({ type: "and", filters: equal });
      }),
      campaign(100),
    );
  });
});
