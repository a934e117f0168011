import { describe, expect, test } from "@jest/globals";
import { type Column, renderTable } from "../../src/cli/table.js";

interface Row {
  name: string;
  size: number;
}

const columns: Column<Row>[] = [
  { title: "NAME", value: ({ name }) => name, flexible: true },
  { title: "SIZE", value: ({ size }, plain) => (plain ? String(size) : `${size} B`), align: "right" },
];
const sink = { write: () => true };
const onTerminal = (width: number, rows: readonly Row[]) =>
  renderTable(columns, rows, { ...sink, isTTY: true, columns: width });

describe("on a terminal", () => {
  // Terminal cells by the Unicode standard (UAX #11, emoji sequences), not by what the code counts.
  test.each([
    ["ASCII", "report", 6],
    ["accents as separate marks", "re\u0301sume\u0301", 6],
    ["Japanese", "日本語", 6],
    ["Korean", "한국어", 6],
    ["half-width kana", "ｶﾅ", 2],
    ["an emoji", "🎉", 2],
    ["an emoji of several characters", "👍🏽", 2],
    ["a flag", "🇨🇿", 2],
    ["a symbol that becomes an emoji by its selector", "❤\ufe0f", 2],
  ])("columns stay in line beside %s", (_, name, cells) => {
    const [head, first, second] = onTerminal(80, [
      { name, size: 1 },
      { name: "0123456789", size: 22 },
    ]).split("\n");
    expect(head).toBe("NAME        SIZE");
    expect(first).toBe(`${name}${" ".repeat(10 - cells)}   1 B`);
    expect(second).toBe("0123456789  22 B");
  });

  test.each([
    [30, "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstu…"],
    [29, "日本語日本語日本語日本語日本語", "日本語日本語日本語日…"],
    // A wide character that does not fit whole is left out.
    [30, "日本語日本語日本語日本語日本語", "日本語日本語日本語日… "],
    [10, "日本語日本語日本語日本語日本語", "日本語日本… "],
    [10, "abcdefghijklmnopqrstuvwxyz", "abcdefghijk…"],
    [20, "fits", "fits"],
  ])("%s cells: the flexible column is cut to the line, but not below 12 cells", (width, name, shown) => {
    const [, line] = onTerminal(width, [{ name, size: 1000 }]).split("\n");
    expect(line).toBe(`${shown}  1000 B`);
  });

  test("a terminal that reports 0 cells counts as one of 80", () => {
    const rows = [{ name: "abcdefghijklmnopqrstuvwxyz", size: 1000 }];
    expect(onTerminal(0, rows)).toBe(onTerminal(80, rows));
  });

  test("a value cannot break its line or move the cursor", () => {
    const text = onTerminal(80, [{ name: "a\n\u001b[2Jb\tc\u202e", size: 1 }]);
    expect(text.split("\n")).toHaveLength(3);
    expect(text).not.toMatch(/[^\P{C}\n]/u);
  });
});

test("in a pipe: tabs, nothing cut, no headings, plain values", () => {
  const rows = [
    { name: "日本語".repeat(50), size: 1536 },
    { name: "a\tb", size: 2 },
  ];
  expect(renderTable(columns, rows, { ...sink, columns: 20 })).toBe(`${"日本語".repeat(50)}\t1536\na b\t2\n`);
});
