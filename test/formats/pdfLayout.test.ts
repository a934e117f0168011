import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { bodySize, countSizes, layOut, type SizeTally } from "../../src/formats/pdfLayout.js";
import type { TextItem } from "../../src/formats/pdfSegments.js";

const body = 10;

/** A line of text with letters half an em wide. */
const item = (text: string, x: number, y: number, size = body): TextItem => ({
  text,
  x,
  y,
  width: (text.length * size) / 2,
  size,
});

const lines = (texts: readonly string[], x: number, y: number, size = body) =>
  texts.map((text, i) => item(text, x, y + i * size * 1.2, size));

const textsOf = (items: readonly TextItem[]) => layOut(items, body, { page: 1 }).map(({ text }) => text);

/** Lines of running text that fill 40 characters. */
const column = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    `${name} ${String(i).padStart(2, "0")} of many words that fill up`.padEnd(40, "x"),
  );

describe("a page's lines", () => {
  test("are joined to paragraphs, which gaps separate", () => {
    const items = [...lines(["The first line", "goes on here."], 50, 100), ...lines(["Another one."], 50, 145)];
    expect(textsOf(items)).toEqual(["The first line goes on here.", "Another one."]);
  });

  test("are joined from pieces in any order, with spaces at gaps", () => {
    const items = [item("world", 85, 100), item("Hel", 50, 100), item("lo", 65, 100), item(" ", 75, 100)];
    expect(textsOf(items)).toEqual(["Hello world"]);
  });

  test("keep subscripts and superscripts in place", () => {
    expect(
      textsOf([item("H", 50, 100), item("2", 55, 102, 6), item("O and x", 58, 100), item("2", 93, 96, 6)]),
    ).toEqual(["H2O and x2"]);
  });

  test("printed twice for bold type are read once", () => {
    expect(textsOf([item("Bold", 50, 100), item("Bold", 50.3, 100)])).toEqual(["Bold"]);
  });

  test("are joined at hyphens only before lower-case letters", () => {
    expect(textsOf(lines(["a long docu-", "ment for Open-", "Domain questions"], 50, 100))).toEqual([
      "a long document for Open-Domain questions",
    ]);
  });

  test("of Japanese are joined without a space", () => {
    expect(textsOf([item("日本語の", 50, 100), item("文章です", 50, 112)])).toEqual(["日本語の文章です"]);
  });

  test("of Arabic are read from the right, their numbers from the left", () => {
    const items = [item("سلام", 140, 100), item("12", 110, 100), item("34", 122, 100), item("عالم", 85, 100)];
    expect(textsOf(items)).toEqual(["سلام 12 34 عالم"]);
  });

  test("of a list are separate blocks", () => {
    expect(textsOf(lines(["• one", "• two", "3. three"], 50, 100))).toEqual(["• one", "• two", "3. three"]);
  });

  test("with an indent begin a paragraph", () => {
    const items = [
      ...lines(["First paragraph, which", "goes on in this line"], 50, 100),
      item("Second one here, also", 65, 124),
      ...lines(["with a line that", "follows"], 50, 136),
    ];
    expect(textsOf(items)).toEqual([
      "First paragraph, which goes on in this line",
      "Second one here, also with a line that follows",
    ]);
  });
});

test("bibliography entries with hanging indents are paragraphs", () => {
  const entry = (name: string, y: number) => [
    item(`${name} and others`, 50, y),
    ...lines(["goes on", "and on"], 65, y + 12),
  ];
  expect(textsOf([...entry("One", 100), ...entry("Two", 136)])).toEqual([
    "One and others goes on and on",
    "Two and others goes on and on",
  ]);
});

describe("columns", () => {
  const left = column("Left", 12);
  const right = column("Right", 12);
  // Line by line across both columns, as some programs write them.
  const both = left.flatMap((text, i) => [item(text, 50, 200 + i * 12), item(right[i] ?? "", 270, 203 + i * 12)]);

  test("are read one after the other", () => {
    const text = textsOf(both).join(" ");
    expect(text).toBe([...left, ...right].join(" "));
  });

  test("end at a title that spans them, above and below", () => {
    const title = (y: number) => item("A title that stands across both of the columns of the page", 70, y, 14);
    const texts = textsOf([...both, title(180), title(370)]);
    expect(texts).toHaveLength(4);
    expect(texts[0]).toMatch(/^A title/);
    expect(texts[1]).toMatch(/^Left 00.*Left 11/);
    expect(texts[2]).toMatch(/^Right 00.*Right 11/);
    expect(texts[3]).toMatch(/^A title/);
  });

  test("are found below half a page without columns", () => {
    const full = column("across", 10).map((text, i) => item(text.padEnd(84, "x"), 50, 40 + i * 12));
    const texts = textsOf([...full, ...both]);
    expect(texts.join(" ")).toMatch(/^across 00.*across 09.*Left 00.*Left 11.*Right 00.*Right 11/);
  });

  test("can be three", () => {
    const three = ["a", "b", "c"].flatMap((name, i) => lines(column(name, 15), 50 + i * 220, 100));
    const names = textsOf(three)
      .join(" ")
      .match(/[abc] \d\d/g);
    expect(names).toEqual(["a", "b", "c"].flatMap((name) => column(name, 15).map((text) => text.slice(0, 4))));
  });

  test("a paragraph continues in the next column", () => {
    const next = column("next", 12);
    expect(textsOf([...lines(left, 50, 100), ...lines(next, 270, 100)])).toEqual([[...left, ...next].join(" ")]);
  });
});

test("a subscript stays at its letter even if a line of the next column is nearer", () => {
  const right = column("Right", 12).map((text, i) => item(text, 270, 200 + i * 12));
  const left = column("Left", 12).flatMap((text, i) => [item(text, 50, 206 + i * 12), item("2", 250, 209 + i * 12, 6)]);
  expect(textsOf([...left, ...right])[0]).toMatch(/^(Left \d\d of many words that fill upx+2 ?){12}$/);
});

test("a table is read row by row", () => {
  const rows = [
    ["Part", "Price", "Sum"],
    ["Bumper", "150", "225"],
    ["Hood", "80", "80"],
    ["Mirror, left side", "35", "70"],
  ];
  const items = rows.flatMap((cells, row) => cells.map((cell, i) => item(cell, 50 + i * 150, 100 + row * 14)));
  expect(layOut(items, body, { page: 2 })).toEqual(
    rows.map((cells) => ({ kind: "row", header: null, text: cells.join(" | "), place: { page: 2 } })),
  );
});

describe("headings", () => {
  test("are lines clearly larger than running text", () => {
    const items = [item("Title", 50, 80, 20), item("Part", 50, 110, 14), ...lines(["Text of it."], 50, 130)];
    expect(layOut(items, body, { page: 1 })).toEqual([
      { kind: "heading", level: 1, text: "Title", place: { page: 1 } },
      { kind: "heading", level: 2, text: "Part", place: { page: 1 } },
      { kind: "text", text: "Text of it.", place: { page: 1 } },
    ]);
  });

  test("the size of running text is that of most characters", () => {
    const tally: SizeTally = new Map();
    countSizes([item("A title", 0, 0, 24), item("and a text that is longer than it", 0, 0, 9.04)], tally);
    expect(bodySize(tally)).toBe(9);
  });
});

test("no text is lost or invented, wherever it is on the page", () => {
  const number = fc.double({ min: -1e4, max: 1e4, noNaN: true });
  const anyItem = fc.record({
    text: fc.stringMatching(/^[a-z]{1,8}$/),
    x: number,
    y: number,
    width: fc.double({ min: 0, max: 1e4, noNaN: true }),
    size: fc.double({ min: 0.1, max: 500, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(anyItem, { maxLength: 60 }), (items) => {
      const letters = (texts: readonly string[]) => (texts.join("").match(/[a-z]/g) ?? []).sort().join("");
      const distinct = items.filter(
        (one, i) => !items.slice(0, i).some((other) => other.text === one.text && Math.abs(other.y - one.y) < 500),
      );
      expect(letters(textsOf(distinct))).toBe(letters(distinct.map(({ text }) => text)));
    }),
  );
});
