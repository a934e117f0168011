import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readJson } from "../../src/formats/json.js";
import { readBytes } from "./readBytes.js";

const read = (text: string, name = "a.json") => readBytes(readJson, Buffer.from(text), name);

async function laidOut(text: string): Promise<string> {
  const blocks = await read(text);
  return blocks.map(({ before = "\n\n", text }, i) => (i === 0 ? text : before + text)).join("");
}

/** A string that the database can store. */
const cleaned = (value: string) => value.replace(/[\0\ufeff]/g, "").toWellFormed();

describe("readJson", () => {
  test("indents a value without changing it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const expected = JSON.parse(cleaned(text)) as unknown;
        expect(JSON.parse(await laidOut(text))).toEqual(expected);
      }),
    );
  });

  test("writes as JSON.stringify does", async () => {
    const value = { a: 1, b: [true, null, { c: "x", d: [] }], e: {}, f: "y" };
    expect(await laidOut(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
  });

  test("keeps all digits, and repeated members", async () => {
    expect(await laidOut('{"big":12345678901234567890123,"a":1,"a":2,"b":1.10,"c":-0,"d":1E+2}')).toBe(
      '{\n  "big": 12345678901234567890123,\n  "a": 1,\n  "a": 2,\n  "b": 1.10,\n  "c": -0,\n  "d": 1E+2\n}',
    );
  });

  test("escapes only what must be escaped", async () => {
    const written =
      '["\\u00e9\\ud83d\\ude00", "\\/", "\\u0022\\u005C\\\\u00e9", "\\n\\u001b", "\\u0000x\\ufeff", "\\ud800"]';
    expect(await laidOut(written)).toBe(
      '[\n  "é😀",\n  "/",\n  "\\"\\\\\\\\u00e9",\n  "\\n\\u001b",\n  "x",\n  "\ufffd"\n]',
    );
  });

  test.each(["\\u00e9", '\\"', "\\\\", "\\u005c\\u0022", "\\ud83d\\ude00", "x"])(
    "reads %s across a border in a long text",
    async (part) => {
      for (const shift of ["", "1", "12", "123", "1234", "12345"]) {
        const text = `["${shift}${part.repeat(40_000)}"]`;
        const read = JSON.parse(await laidOut(text)) as string[];
        expect(read[0] === (JSON.parse(text) as string[])[0]).toBe(true);
      }
      await expect(laidOut(`["${part.repeat(40_000)}\\"]`)).rejects.toThrow("not closed");
    },
  );

  test("makes elements and members blocks", async () => {
    const records = Array.from({ length: 3 }, (_, id) => ({ id, text: "word ".repeat(50) }));
    const ofArray = await read(JSON.stringify(records));
    expect(ofArray.map(({ text }) => /"id": \d/.exec(text)?.[0])).toEqual(['"id": 0', '"id": 1', '"id": 2']);
    const ofObject = await read(JSON.stringify({ one: records[0], two: records[1] }));
    expect(ofObject.map(({ text }) => text.trimStart().slice(0, 6))).toEqual(['{\n  "o', '"two":']);
  });

  test("cuts a large member between its records", async () => {
    const rows = Array.from({ length: 50 }, (_, id) => ({ id, text: "word ".repeat(60) }));
    const blocks = await read(JSON.stringify({ rows }));
    expect(blocks.length).toBeGreaterThan(10);
    for (const { text } of blocks.slice(1)) expect(text).toMatch(/^ {4}\{\n {6}"id"/);
  });

  test.each(["a.jsonl", "a.json"])("reads consecutive values in %s", async (name) => {
    const blocks = await read('{"a":1}\r\n\n[2]\n"x"\n', name);
    expect(blocks).toEqual(['{\n  "a": 1\n}', "[\n  2\n]", '"x"'].map((text) => ({ kind: "text", text, place: {} })));
  });

  test.each<[string, string]>([
    ['{"a":1,}', "line 1 has something where a name in quotes must be"],
    ["[1,\n2,\n]", "line 3 has something where a value must be"],
    ['{"a"\n\n1}', "line 3 has no colon"],
    ["[1 2]", "line 1 lacks a comma"],
    ["[01]", "line 1 lacks a comma"],
    ["[1", "line 1 ends too early"],
    ["[", "line 1 ends too early"],
    ['["a', "line 1 has a string that is not closed"],
    ['["a\\"]', "line 1 has a string that is not closed"],
    ['["\\x"]', "line 1 has a string with an invalid escape"],
    ['["\\u12g4"]', "line 1 has a string with an invalid escape"],
    ['["a\nb"]', "line 1 has a string with an invalid escape or a control character such as a line break"],
    ["{'a': 1}", "line 1 has something where a name in quotes must be"],
    ["[1]]", "line 1 goes on after its value has ended"],
    ["[NaN]", "line 1 has something where a value must be"],
    ["hello", "line 1 has something where a value must be"],
    ['{"a":1}\n{"a":\n', "line 3 ends too early"],
    ["[".repeat(100_000), "line 1 is nested more than 1000 levels deep"],
    ['{"a":'.repeat(100_000), "line 1 is nested more than 1000 levels deep"],
  ])("refuses %.20j", async (text, problem) => {
    await expect(read(text)).rejects.toMatchObject({
      code: "invalid_file",
      message: expect.stringContaining(problem) as unknown,
    });
  });

  test.each([
    ["", "The file is empty."],
    [" \n", "The file has no text, only white space."],
  ])("says that %j is empty", async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: "invalid_file", message });
  });

  test("accepts exactly what JSON.parse accepts", async () => {
    const jsonLike = fc.array(
      fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', "1", "-0.5e3", "true", " ", '"\\n"', "null"),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(jsonLike, async (parts) => {
        const text = parts.join("");
        const parsed = ((): unknown => {
          try {
            return [JSON.parse(text)];
          } catch {
            return null;
          }
        })();
        const printed = await laidOut(text).catch(() => null);
        expect(printed === null ? null : [JSON.parse(printed)]).toEqual(parsed);
      }),
      { numRuns: 1_000 },
    );
  });

  test("does not inflate deep values by indentation", async () => {
    const text = `${"[".repeat(900)}${"1,".repeat(10_000)}1${"]".repeat(900)}`;
    expect((await laidOut(text)).length).toBeLessThan(30 * text.length);
  });

  test("reads JSON Lines of any size line by line, other JSON only up to a limit", async () => {
    const asLarge = (name: string) => async (source: { path: string }) => {
      const blocks = [];
      for await (const block of readJson({ ...source, size: 100_000_000, name }, undefined as never))
        blocks.push(block.text);
      return blocks;
    };
    const { withFile } = await import("./readBytes.js");
    await withFile(Buffer.from('{"a":1}\n\n{"a":2}'), async (path) => {
      expect(await asLarge("a.jsonl")({ path })).toEqual(['{\n  "a": 1\n}', '{\n  "a": 2\n}']);
      await expect(asLarge("a.json")({ path })).rejects.toThrow("larger than 64 MB");
    });
    await withFile(Buffer.from('{"a":1}\n\n{"a":}'), async (path) => {
      await expect(asLarge("a.ndjson")({ path })).rejects.toThrow("line 3 has");
    });
  });
});
