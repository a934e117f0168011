import { describe, expect, test } from "@jest/globals";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { characters, row, table, text, textsOf, tokens } from "./support.js";

const x = (length: number) => "x".repeat(length);

describe("tables", () => {
  const cities = table("city | people", "Oslo | 700", "Rome | 2800", "Bonn | 330", "Lima | 10000", "Kyiv | 2900");

  test("a chunk that begins with a row repeats the header", async () => {
    expect(await textsOf(cities, characters(40))).toEqual([
      "city | people\nOslo | 700\nRome | 2800\n",
      "city | people\nBonn | 330\nLima | 10000\n",
      "city | people\nKyiv | 2900",
    ]);
  });

  test("the overlap consists of whole rows", async () => {
    expect(await textsOf(cities, characters(40, 15))).toEqual([
      "city | people\nOslo | 700\nRome | 2800\n",
      "city | people\nRome | 2800\nBonn | 330\n",
      "city | people\nBonn | 330\nLima | 10000\n",
      "city | people\nLima | 10000\nKyiv | 2900",
    ]);
    expect(await textsOf(cities, characters(40, 10))).toEqual(await textsOf(cities, characters(40)));
  });

  test("the overlap shrinks to make room for a row and its header", async () => {
    expect(
      await textsOf(table("city | people", "Oslo | 700", "Rome | 2800", "Llanfairpwll | 3040"), characters(40, 15)),
    ).toEqual(["city | people\nOslo | 700\nRome | 2800\n", "city | people\nLlanfairpwll | 3040"]);
  });

  test("in tokens too", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `Item ${i} | ${i * 37} | some words`);
    const chunks = await textsOf(table("Name | Number | Text", ...rows), tokens(100, 30));
    const found = new Set<string>();
    for (const chunk of chunks) {
      const [header, ...lines] = chunk.trimEnd().split("\n");
      expect(header).toBe("Name | Number | Text");
      for (const line of lines) {
        expect(rows).toContain(line);
        found.add(line);
      }
      expect(countTokens(chunk)).toBeLessThanOrEqual(100);
    }
    expect(found.size).toBe(200);
  });

  test("a chunk does not end with a header row", async () => {
    expect(await textsOf([text(x(60)), ...table("head | er", x(40))], characters(80))).toEqual([
      `${x(60)}\n\n`,
      `head | er\n${x(40)}`,
    ]);
  });

  test("a row that fits in a chunk is not cut", async () => {
    expect(await textsOf([text("One."), ...table("h | i", "a b c d | e f g h i j k l m n")], characters(30))).toEqual([
      "One.\n\n",
      "h | i\n",
      "a b c d | e f g h i j k l m n",
    ]);
  });

  test("a row that is longer than a chunk is cut like text, without the header", async () => {
    expect(await textsOf(table("a | b", "one two three four | five six", "x | y"), characters(16))).toEqual([
      "a | b\none two ",
      "three four | ",
      "five six\nx | y",
    ]);
  });

  test("a header that leaves no room for the row is left out", async () => {
    const header = "a long header | of the table";
    expect(await textsOf(table(header, x(20), x(21), x(22)), characters(45))).toEqual([
      `${header}\n`,
      `${x(20)}\n${x(21)}\n`,
      x(22),
    ]);
  });

  test("rows without a header have none before them", async () => {
    expect(await textsOf([row("1 | 2", null), row("3 | 4", null), row("5 | 6", null)], characters(12))).toEqual([
      "1 | 2\n3 | 4\n",
      "5 | 6",
    ]);
  });

  test("chunks end between tables rather than within one", async () => {
    const blocks = [...table("a | b", "1 | 1", "2 | 2"), ...table("c | d", "3 | 3", "4 | 4")];
    expect(await textsOf(blocks, characters(33))).toEqual(["a | b\n1 | 1\n2 | 2\n", "c | d\n3 | 3\n4 | 4"]);
  });

  test("each table has its own header", async () => {
    const blocks = [...table("a | b", "1 | 1", "2 | 2"), ...table("c | d", "3 | 3", "4 | 4")];
    expect(await textsOf(blocks, characters(18))).toEqual(["a | b\n1 | 1\n2 | 2\n", "c | d\n3 | 3\n4 | 4"]);
    expect(await textsOf(blocks, characters(12))).toEqual([
      "a | b\n1 | 1\n",
      "a | b\n2 | 2\n",
      "c | d\n3 | 3\n",
      "c | d\n4 | 4",
    ]);
  });
});
