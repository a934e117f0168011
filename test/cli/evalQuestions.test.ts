import { afterAll, describe, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readQuestions } from "../../src/cli/questions.js";
import { anyQuestion, evalAt, questionsFile } from "./evalSupport.js";

const file = questionsFile();
afterAll(() => {
  file.remove();
});

/** Nothing listens there: a wrong file is reported before any request. */
const cli = (path: string) => evalAt("http://127.0.0.1:1", path);

describe("a wrong file", () => {
  const good = JSON.stringify(anyQuestion);
  test.each([
    ["{query: 1}", "is not valid JSON"],
    ["[]", "expected an object such as {"],
    ['{"relevant": ["a"]}', "query: required: a string"],
    ['{"query": " ", "relevant": ["a"]}', "query: must not be empty"],
    ['{"query": ["a"], "relevant": ["a"]}', "query: expected a string"],
    ['{"query": "q"}', "relevant: required, or contains"],
    ['{"query": "q", "relevant": null, "contains": null}', "relevant: required, or contains"],
    ['{"query": "q", "relevant": "a.md"}', "relevant: expected an array of ids or file names, or an object"],
    ['{"query": "q", "relevant": []}', "relevant: must not be empty"],
    ['{"query": "q", "relevant": {}}', "relevant: must not be empty"],
    ['{"query": "q", "relevant": ["a", 5]}', "relevant[1]: expected a string"],
    ['{"query": "q", "relevant": ["a", ""]}', "relevant[1]: must not be empty"],
    ['{"query": "q", "relevant": {"a.md": 0}}', 'relevant["a.md"]: must be above 0'],
    ['{"query": "q", "relevant": {"a.md": -1}}', 'relevant["a.md"]: must be above 0'],
    ['{"query": "q", "relevant": {"a.md": 1e7}}', 'relevant["a.md"]: must be at most 1000000'],
    ['{"query": "q", "relevant": {"a.md": "3"}}', 'relevant["a.md"]: expected a number'],
    ['{"query": "q", "relevant": {" ": 3}}', 'relevant[" "]: must not be empty'],
    ['{"query": "q", "contains": 5}', "contains: expected a string or an array of strings"],
    ['{"query": "q", "contains": " "}', "contains: must not be empty"],
    ['{"query": "q", "contains": ["a", "\\n"]}', "contains[1]: must not be empty"],
    ['{"query": "q", "contains": "a", "filters": "lang"}', "filters: expected an object"],
  ])("%s: %s", async (line, problem) => {
    const { code, out, err } = await cli(file.of(good, "", line));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(`questions.jsonl, line 3: ${problem}`);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("empty, missing, a folder, or not text", async () => {
    expect((await cli(file.of("", " "))).err).toContain("questions.jsonl has no questions.");
    expect((await cli(join(file.path, "none"))).err).toContain("none cannot be read (ENOENT).");
    expect((await cli(file.path)).err).toContain("cannot be read (EISDIR).");
    const path = file.of();
    writeFileSync(path, Buffer.from(`\ufeff${good}`, "utf16le"));
    const { code, err } = await cli(path);
    expect(code).toBe(1);
    expect(err).toContain("questions.jsonl is not UTF-8 text.");
  });
});

describe("a file of questions", () => {
  test("null counts as absent, unknown fields are ignored", () => {
    const line = { query: "q", relevant: null, contains: "a b", filters: null, note: 1 };
    expect(readQuestions(`\n${JSON.stringify(line)}\r\n`, "f")).toEqual([
      { line: 2, query: "q", items: [{ kind: "phrase", text: "a b", grade: 1 }], filters: null },
    ]);
  });

  test("names and phrases together, with and without grades", () => {
    const line = { query: "q", relevant: { "a.md": 3, "file-1": 0.5 }, contains: ["x"], filters: { lang: "en" } };
    expect(readQuestions(JSON.stringify(line), "f")).toEqual([
      {
        line: 1,
        query: "q",
        items: [
          { kind: "name", text: "a.md", grade: 3 },
          { kind: "name", text: "file-1", grade: 0.5 },
          { kind: "phrase", text: "x", grade: 1 },
        ],
        filters: { lang: "en" },
      },
    ]);
  });

  test("each item counts once, however often the line names it", () => {
    const line = {
      query: "q",
      relevant: ["a", "a", "ü", "ü".normalize("NFD"), "A"],
      contains: ["a", "A ", "b  c", "b\nC"],
    };
    const texts = readQuestions(JSON.stringify(line), "f")[0]?.items.map(({ kind, text }) => `${kind} ${text}`);
    expect(texts).toEqual(["name a", "name ü", "name A", "phrase a", "phrase b  c"]);
  });
});
