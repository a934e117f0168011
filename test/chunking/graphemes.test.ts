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

  test("a letter with many marks ends after the last mark", () => {
    const text = `x${"a" + "\u0301".repeat(5000)}b`;
    expect(graphemeEnd(text, 1)).toBe(5002);
    expect(borderBefore(text, 0, 3000)).toBe(1);
    expect(borderAfter(text, 0, 3000)).toBe(5002);
  });

  test("flags are counted in pairs from the first", () => {
    const text = `a${"🇩🇪".repeat(300)}`;
    expect(borderBefore(text, 0, 1 + 4 * 299 + 2)).toBe(1 + 4 * 299);
    expect(borderBefore(text, 1, 1 + 4 * 150)).toBe(1 + 4 * 150);
  });
});
