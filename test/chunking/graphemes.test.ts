import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { borderAfter, borderBefore, graphemeEnd } from "../../src/chunking/graphemes.js";
import { borders, trickyText } from "./support.js";
import { campaign } from "../support/campaign.js";

describe("grapheme borders", () => {
  test("are those of the whole text, from every position", () => {
    fc.assert(
      fc.property(trickyText, (text) => {
        const all = borders(text);
        for (let at = 0; at <= text.length; at += 1) {
          expect(borderBefore(text, 0, at)).toBe(all.findLast((border) => border <= at));
          expect(borderAfter(text, 0, at)).toBe(all.find((border) => border >= at));
        }
        for (const [i, border] of all.slice(0, -1).entries()) expect(graphemeEnd(text, border)).toBe(all[i + 1]);
      }),
      campaign(500),
    );
  });

  test("a letter with marks ends after the last mark, up to 64 units", () => {
    const text = `x${"a" + "\u0301".repeat(63)}b`;
    expect(graphemeEnd(text, 1)).toBe(65);
    expect(borderBefore(text, 0, 64)).toBe(1);
    expect(borderAfter(text, 0, 2)).toBe(65);
  });

  test.each([
    ["marks", "\u0301"],
    ["marks of two units", "\u{1d165}"],
    ["marks of both kinds", "\u0301\u{1d165}"],
    ["joined emoji", "\u200d👨"],
  ])("a letter with too many %s has borders inside, between characters", (_, mark) => {
    const text = `x👨${mark.repeat(500)}b`;
    const all: number[] = [0];
    for (let at = 0; at < text.length; at = graphemeEnd(text, at)) all.push(graphemeEnd(text, at));
    for (const [i, border] of all.slice(1).entries()) {
      expect(border - (all[i] ?? 0)).toBeLessThanOrEqual(64);
      expect(text.slice(all[i], border).isWellFormed()).toBe(true);
    }
    expect(all.length).toBeLessThan(3 + text.length / 60);
    for (let at = 0; at <= text.length; at += 1) {
      expect(borderBefore(text, 0, at)).toBe(all.findLast((border) => border <= at));
      expect(borderAfter(text, 0, at)).toBe(all.find((border) => border >= at));
    }
  });

  test("flags are counted in pairs from the first", () => {
    const text = `a${"🇩🇪".repeat(300)}`;
    expect(borderBefore(text, 0, 1 + 4 * 299 + 2)).toBe(1 + 4 * 299);
    expect(borderBefore(text, 1, 1 + 4 * 150)).toBe(1 + 4 * 150);
  });
});
