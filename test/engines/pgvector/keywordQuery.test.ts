import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  any,
  candidateQueries,
  having,
  maxQueryCharacters,
  maxUnits,
  queryUnits,
  rankedWithRare,
  sampleLexeme,
  storeLexeme,
} from "../../../src/engines/pgvector/keywords/keywordQuery.js";

describe("the units of a query", () => {
  test.each([
    ["return policy", ["return", "policy"]],
    ["error E-4711!", ["error", "E 4711"]],
    ["foo.bar/baz 12/2024-A snake_case", ["foo bar baz", "12 2024 A", "snake case"]],
    ["O'Brien’s “quoted” (words): a&b | c", ["O Brien s", "quoted", "words", "a b", "c"]],
    ["東京都", ["東 京", "京 都"]],
    ["東京、大阪", ["東 京", "大 阪"]],
    ["「東京」駅", ["東 京", "駅"]],
    ["茶", ["茶"]],
    ["한국어 검색", ["한 국", "국 어", "검 색"]],
    ["iPhone15を買う", ["iPhone15", "を 買", "買 う"]],
    ["Ｅ－４７１１", ["E 4711"]],
    ["Cafe\u0301", ["Café"]],
    ["Straße straße STRASSE", ["Straße", "STRASSE"]],
    ["😀👍🏽 ❤️", []],
    ["  \t\n\0 ", []],
    ["& | ! ( ) : * ' \\ <->", []],
    ["\ud800a", ["a"]],
  ])("%j", (text, units) => {
    expect(queryUnits(text)).toEqual(units);
  });

  test("a long path continues in another unit", () => {
    const path = Array.from({ length: 20 }, (_, i) => `p${i}`);
    expect(queryUnits(path.join("/"))).toEqual([path.slice(0, 16).join(" "), path.slice(16).join(" ")]);
  });

  test("if there are too many units, those with digits and the longest are kept", () => {
    const words = Array.from({ length: 100 }, (_, i) => "x".repeat(3 + i).replace(/^/, "abcdefghij"[i % 10] ?? ""));
    const units = queryUnits(["E-4711", ...words].join(" "));
    expect(units).toHaveLength(maxUnits);
    expect(units[0]).toBe("E 4711");
    expect(units[1]).toBe(words[99]);
  });

  test("text beyond 100,000 characters is ignored", () => {
    expect(queryUnits(`${"a ".repeat(maxQueryCharacters / 2)}late`)).toEqual(["a"]);
  });

  test("any text gives few units, each once and of letters and digits only", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const units = queryUnits(text);
        expect(units.length).toBeLessThanOrEqual(maxUnits);
        expect(new Set(units.map((each) => each.toLowerCase())).size).toBe(units.length);
        for (const unit of units) expect(unit).not.toMatch(/^ | $| {2}|[!-/:-@[-`{-~]/);
        // Blanks and punctuation around it change nothing.
        expect(queryUnits(`- ${text} ,`)).toEqual(units);
      }),
    );
  });
});

describe("where candidates are looked for", () => {
  const term = (unit: string, count: number) => ({ unit, query: `'${unit}'`, count });
  /** Evaluates the queries made here: words, &, |, ! and parentheses. */
  const matches = (query: string, words: ReadonlySet<string>): boolean => {
    let at = 0;
    const tokens = query.match(/'[^']*'|[&|!()]/g) ?? [];
    const atom = (): boolean => {
      const token = tokens[at++];
      if (token === "!") return !atom();
      if (token !== "(") return words.has((token ?? "").slice(1, -1));
      const value = either();
      at += 1;
      return value;
    };
    const both = (): boolean => {
      let value = atom();
      while (tokens[at] === "&") {
        at += 1;
        value = atom() && value;
      }
      return value;
    };
    const either = (): boolean => {
      let value = both();
      while (tokens[at] === "|") {
        at += 1;
        value = both() || value;
      }
      return value;
    };
    return either();
  };

  test("every chunk with any term is found by exactly one query; those with a rare term by the first", () => {
    const counts = fc.array(fc.nat({ max: 4 * rankedWithRare }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(counts, fc.nat({ max: 4095 }), (list, bits) => {
        const terms = list.map((each, i) => term(`w${i}`, each));
        const words = new Set(terms.filter((each, i) => each.count > 0 && (bits >> i) & 1).map((each) => each.unit));
        const { rare, common } = candidateQueries(terms);
        const queries = rare === null ? common : [rare, ...common];
        expect(queries.filter((each) => matches(each, words))).toHaveLength(words.size > 0 ? 1 : 0);
        const total = terms.reduce((sum, each) => sum + each.count, 0);
        if (total <= rankedWithRare) expect(common).toEqual([]);
      }),
    );
  });

  test("the first query for common terms asks for all of them", () => {
    const terms = ["a", "b", "c"].map((each) => term(each, 10_000));
    const { rare, common } = candidateQueries(terms);
    expect(rare).toBeNull();
    expect(common[0]).toBe("( 'a' ) & ( 'b' ) & ( 'c' )");
    expect(any(["'a'", "'b' <-> 'c'"])).toBe("( 'a' ) | ( 'b' <-> 'c' )");
  });
});

describe("the lexemes of a store", () => {
  test("two stores have none in common, whatever their ids are", () => {
    const id = fc.string({ unit: fc.constantFrom("/", "#", "1", "a", "'", "\\"), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(id, id, fc.nat(63), fc.nat(63), (a, b, m, n) => {
        expect(storeLexeme(a)).not.toBe(sampleLexeme(b, n));
        if (a !== b) expect([storeLexeme(a), sampleLexeme(a, m)]).not.toEqual([storeLexeme(b), sampleLexeme(b, n)]);
        if (a !== b) expect(sampleLexeme(a, m)).not.toBe(sampleLexeme(b, n));
      }),
    );
  });

  test("are quoted", () => {
    expect(having("/a'b\\c", "'x'")).toBe("'/a''b\\\\c' & ( 'x' )");
  });
});
