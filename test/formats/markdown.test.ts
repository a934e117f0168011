import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Block } from "../../src/words/document.js";
import { readMarkdown } from "../../src/formats/markdown.js";
import { readBytes } from "./readBytes.js";

const read = (text: string) => readBytes(readMarkdown, Buffer.from(text), "a.md");
const texts = async (text: string) => (await read(text)).map((block) => block.text);
const heading = (level: number, text: string): Block => ({ kind: "heading", level, text, place: {} });
const text = (content: string): Block => ({ kind: "text", text: content, place: {} });

describe("readMarkdown", () => {
  test("finds both kinds of headings, and keeps the text between unchanged", async () => {
    const blocks = await read(
      "# One #\r\n\r\nSome **bold** [text](url)  \r\nand more.\r\n\r\nTwo\r\n---\r\n\r\n- a\r\n- b\r\n\r\n### Three\r\n\r\nOne again\r\n===\r\n",
    );
    expect(blocks).toEqual([
      heading(1, "One"),
      text("Some **bold** [text](url)  \nand more."),
      heading(2, "Two"),
      text("- a\n- b"),
      heading(3, "Three"),
      heading(1, "One again"),
    ]);
  });

  test("keeps lines without a blank line between together", async () => {
    expect(await read("intro\n## Head\ntext\n```\ncode\n```\nend")).toEqual([
      text("intro"),
      { ...heading(2, "Head"), before: "\n" },
      { ...text("text"), before: "\n" },
      { ...text("```\ncode\n```"), before: "\n" },
      { ...text("end"), before: "\n" },
    ]);
  });

  test.each([
    ["no space after the marks", "#hashtag"],
    ["seven marks", "####### x"],
    ["an indent", "    # code"],
    ["a rule below a list", "- item\n---"],
    ["a rule below several lines", "one\ntwo\n---"],
    ["a rule", "---"],
  ])("finds no heading in %s", async (_, source) => {
    expect((await read(`x\n\n${source}\n`)).map(({ kind }) => kind)).toEqual(["text", "text"]);
  });

  test("keeps code as one block, even if it looks like headings and tables", async () => {
    const code = "```sh\n# no heading\n\na | b\n--|--\n~~~\n````";
    expect(await texts(`${code}\n\nend`)).toEqual([code, "end"]);
    expect(await texts("~~~\n# a\n\n```\n~~~\n# Head")).toEqual(["~~~\n# a\n\n```\n~~~", "Head"]);
    expect(await texts("```\nnever closed\n\n# a")).toEqual(["```\nnever closed\n\n# a"]);
    expect(await texts("``` not ``` code\n# Head")).toEqual(["``` not ``` code", "Head"]);
  });

  test("reads tables row by row", async () => {
    expect(await read("Values:\n| a | b\\|c |\n|---|:-:|\n| 1 | `x` |\n|  |  |\n| 2 |\nend")).toEqual([
      text("Values:"),
      { kind: "row", text: "a | b|c", header: null, place: {}, before: "\n" },
      { kind: "row", text: "1 | `x`", header: "a | b|c", place: {}, before: "\n" },
      { kind: "row", text: "2", header: "a | b|c", place: {}, before: "\n" },
      { ...text("end"), before: "\n" },
    ]);
    expect((await read("a|b\n-|-\n1|2")).map(({ kind }) => kind)).toEqual(["row", "row"]);
  });

  test("finds no table if the line below has other columns", async () => {
    expect(await texts("a | b\n---|---|---\n1 | 2")).toEqual(["a | b\n---|---|---\n1 | 2"]);
  });

  test("keeps front matter, and does not mistake a rule for it", async () => {
    expect(await texts("---\ntitle: x\n# comment\n---\n# Head\n")).toEqual(["---\ntitle: x\n# comment\n---", "Head"]);
    expect(await texts("---\n\n# Head\n\n---\n")).toEqual(["---", "Head", "---"]);
    expect(await texts("---\nno end\n\n# Head")).toEqual(["---\nno end", "Head"]);
    expect(await texts(`---\n${"long\n".repeat(5_000)}\n# Head\n---\n`)).toContain("Head");
  });

  test("cuts long text, but never inside a line", async () => {
    const blocks = await read("some words\n".repeat(5_000));
    expect(blocks.length).toBeGreaterThan(5);
    expect(blocks.slice(1).every(({ before }) => before === "\n")).toBe(true);
    expect(blocks.map(({ text }) => text).join("\n")).toBe("some words\n".repeat(5_000).trimEnd());
  });

  test("reads a line of any length", async () => {
    const source = `x${"0123456789|#`".repeat(300_000)}`;
    const blocks = await read(source);
    expect(blocks.map(({ before, text }) => (before ?? "") + text).join("") === source).toBe(true);
  });

  test("loses no words", async () => {
    const part = fc.constantFrom(
      ...[
        "# H",
        "\n",
        "\n\n",
        "a | b",
        "|-|-|",
        "---",
        "```",
        "text",
        "===",
        "- x",
        "> q",
        "  ",
        "~~~",
        "\r\n",
        "<p>",
        "|",
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
        const source = parts.join("");
        fc.pre(source.trim() !== "");
        const words = (content: string) => content.match(/[a-z>]+/gi) ?? [];
        const blocks = await read(source).catch(() => []);
        expect(words(blocks.map((block) => block.text).join(" "))).toEqual(words(source));
        for (const block of blocks) expect(block.text.trim()).not.toBe("");
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["", "The file is empty."],
    ["\n \n", "The file has no text, only white space."],
  ])("refuses %j", async (source, message) => {
    await expect(read(source)).rejects.toMatchObject({ code: "invalid_file", message });
  });
});
