import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { tokenCounter } from "../../src/chunking/tokens.js";
import { trickyText } from "./support.js";
import { campaign } from "../support/campaign.js";

const counter = await tokenCounter();
const tokensOf = (text: string) => countTokens(text, { disallowedSpecial: new Set() });

describe("the token counter", () => {
  test("counts as the encoding does", () => {
    fc.assert(
      fc.property(trickyText, (text) => {
        expect(counter.count(text)).toBe(tokensOf(text));
      }),
      campaign(500),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (text) => {
        expect(counter.count(text)).toBe(tokensOf(text));
      }),
    );
    const languages =
      "Straßenbahnhaltestelle, Привет! Καλημέρα κόσμε؟ 機械学習は面白い。안녕하세요 여러분 नमस्ते दुनिया สวัสดีชาวโลก שלום";
    expect(counter.count(languages)).toBe(tokensOf(languages));
  });

  test("treats special tokens as text", () => {
    expect(counter.count("<|endoftext|>")).toBe(tokensOf("<|endoftext|>"));
    expect(counter.count("<|endoftext|>")).toBeGreaterThan(1);
  });

  test.each(["A", "漢", "🎉", "-", " ", "\n", "7", "e\u0301"])("counts a long run of %j piece by piece", (unit) => {
    const piece = unit.repeat(256 / unit.length);
    expect(counter.count(piece)).toBe(tokensOf(piece));
    const whole = 100 * tokensOf(piece);
    expect(counter.count(piece.repeat(100))).toBeGreaterThan(0.99 * whole);
    expect(counter.count(piece.repeat(100))).toBeLessThan(1.01 * whole);
  });

  test("cuts a long run between characters", () => {
    const emoji = "🎉";
    const expected = tokensOf(`-${emoji.repeat(127)}`) + 6 * tokensOf(emoji.repeat(128)) + tokensOf(emoji.repeat(105));
    expect(counter.count(`-${emoji.repeat(1000)}`)).toBe(expected);
  });

  test("counts a part like the same text alone", () => {
    fc.assert(
      fc.property(trickyText, fc.integer({ min: 1, max: 60 }), fc.nat(), fc.nat(), (text, most, a, b) => {
        const { reach, range } = counter.measure(text, most);
        const from = a % (reach + 1);
        const to = from + (b % (reach - from + 1));
        fc.pre(text.slice(0, to).isWellFormed() && text.slice(from, to).isWellFormed());
        expect(range(0, to)).toBe(counter.count(text.slice(0, to)));
        expect(range(from, to)).toBe(counter.count(text.slice(from, to)));
      }),
      campaign(1000),
    );
  });

  test("also within long runs", () => {
    const runs = fc
      .array(fc.tuple(fc.constantFrom("A", " ", "\n", "7", "漢", "- ", "👍", "x y "), fc.nat(700)), { maxLength: 4 })
      .map((parts) => parts.map(([unit, times]) => unit.repeat(times)).join(""));
    fc.assert(
      fc.property(runs, fc.nat(), (text, b) => {
        const { reach, range } = counter.measure(text, 300);
        const to = b % (reach + 1);
        expect(range(0, to)).toBe(counter.count(text.slice(0, to)));
      }),
    );
  });

  test("finds the longest beginning that fits", () => {
    fc.assert(
      fc.property(trickyText, fc.integer({ min: 1, max: 60 }), (text, most) => {
        const { reach } = counter.measure(text, most);
        if (counter.count(text) <= most) expect(reach).toBe(text.length);
        else expect(counter.count(text.slice(0, reach))).toBeLessThanOrEqual(most + 1);
      }),
    );
    const { reach } = counter.measure("one two three four five", 3);
    expect(reach).toBe("one two three".length);
  });

  test("a tail is the last tokens of the text", () => {
    const text = "one two three four five six";
    const { tail } = counter.measure(text, 100);
    expect(text.slice(tail(text.length, 2))).toBe(" five six");
    expect(text.slice(tail("one two three".length, 2), "one two three".length)).toBe(" two three");
    expect(tail(text.length, 6)).toBe(0);
    expect(tail(text.length, 0)).toBe(text.length);
  });

  test("a tail may begin within a word of several tokens", () => {
    const text = "antidisestablishmentarianism";
    const { tail } = counter.measure(text, 100);
    const whole = counter.count(text);
    for (let most = 1; most < whole; most += 1) {
      expect(counter.count(text.slice(tail(text.length, most)))).toBeLessThanOrEqual(most);
      expect(tail(text.length, most)).toBeLessThan(text.length);
    }
  });
});
