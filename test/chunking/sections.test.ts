import { describe, expect, test } from "@jest/globals";
import { followSections } from "../../src/chunking/sections.js";
import type { Block } from "../../src/words/document.js";
import { heading, text } from "./support.js";

const paths = (...blocks: Block[]) => blocks.map(followSections());

describe("the path of headings", () => {
  test("a text is below the headings above it, a heading in its own section", () => {
    expect(
      paths(
        text("before"),
        heading("A"),
        text("a"),
        heading("A.1", 2),
        text("a1"),
        heading("A.2", 2),
        heading("A.2.x", 4),
        heading("A.3", 2),
        heading("B"),
        text("b"),
      ),
    ).toEqual([null, "A", "A", "A > A.1", "A > A.1", "A > A.2", "A > A.2 > A.2.x", "A > A.3", "B", "B"]);
  });

  test("another attachment or sheet begins without headings", () => {
    expect(
      paths(
        heading("Mail"),
        text("in a", { place: { attachment: "a.docx" } }),
        heading("Chapter", 1, { attachment: "a.docx" }),
        text("in b", { place: { attachment: "b.docx" } }),
        heading("Sheet", 1, { sheet: "1" }),
        text("same", { place: { sheet: "1", page: 2 } }),
        text("other", { place: { sheet: "2" } }),
      ),
    ).toEqual(["Mail", null, "Chapter", null, "Sheet", "Sheet", null]);
  });

  test("line breaks in a heading become spaces", () => {
    expect(paths(heading("One\r\n  two\tthree"))).toEqual(["One two three"]);
  });

  test("a path of more than 200 characters keeps the innermost headings", () => {
    const [long, other] = ["x".repeat(90), "y".repeat(90)];
    expect(paths(heading(long), heading(other, 2), heading("z", 3), heading("w".repeat(80), 4)).at(-1)).toBe(
      `… > ${other} > z > ${"w".repeat(80)}`,
    );
    const [path] = paths(heading("👨‍👩‍👧‍👦".repeat(100)));
    expect(path).toBe(`${"👨‍👩‍👧‍👦".repeat(18)}…`);
  });

  test("any number of levels gives a path of limited length", () => {
    const headings = Array.from({ length: 5000 }, (_, i) => heading(`h${i}`, i + 1));
    expect(paths(...headings).at(-1)).toBe("h0 > h1 > h2 > h3 > h4 > h5 > h6 > h7 > h4999");
  });
});
