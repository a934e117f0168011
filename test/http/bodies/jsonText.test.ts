import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { findFault } from "../../../src/http/bodies/jsonFault.js";
import { parseBytes } from "../../../src/http/bodies/jsonBody.js";
import { parseJson } from "../../../src/http/bodies/jsonText.js";
import { ApiError } from "../../../src/words/errors.js";
import { campaign } from "../../support/campaign.js";

/** The message for a text that is refused; null for one that is not. */
function messageOf(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
const refusal = (text: string, path = "") => messageOf(() => parseJson(text, path));

describe("the levels of a text", () => {
  test("100, not 101, of objects and arrays", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
      ['[{"a":', "}]"],
    ] as const) {
      const levels = open.length === 6 ? 2 : 1;
      const nested = (count: number) => `${open.repeat(count / levels)}1${close.repeat(count / levels)}`;
      expect(refusal(nested(100))).toBeNull();
      expect(refusal(nested(102))).toMatch(/nested more than 100 levels deep/);
    }
    expect(refusal("[".repeat(101), "line 7")).toBe("line 7: nested more than 100 levels deep");
    expect(refusal(`{"a":[],"b":{"c":${"[".repeat(99)}`)).toBe("b: nested more than 100 levels deep");
  });

  test("and the values of all objects and arrays are limited", () => {
    const keys = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(",");
    const problem = "too large: more than 50,000 values in all";
    expect(refusal(`{"filters":{${keys(50_000)}}}`)).toBe(`filters: ${problem}`);
    expect(refusal(`{${keys(50_001)}`)).toBe(`The body is ${problem}.`);
    expect(refusal(`[{${keys(24_000)}},{${keys(24_000)}}]x`)).toMatch(/not valid JSON/);
    for (const value of ["{}", "[]", "1.2345678901234567", '""']) {
      expect(refusal(`{"query":"x","filters":[${Array(50_001).fill(value).join(",")}]}`)).toBe(`filters: ${problem}`);
    }
  });

  test("10 MB of values are refused before they block other requests for seconds", () => {
    const text = `{"query":"x","filters":[${"{},".repeat(3_300_000)}{}]}`;
    const before = process.cpuUsage();
    expect(refusal(text)).toMatch(/^filters: too large/);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(200);
  });

  test("brackets in strings, and levels that are closed, do not count", () => {
    const brackets = "[".repeat(1000);
    expect(refusal(JSON.stringify([brackets, `"${brackets}\\`, ...Array<number[]>(1000).fill([1])]))).toBeNull();
  });

  test("10 MB of brackets take less than the tenth of a second that they would block other requests", () => {
    for (const text of ["[".repeat(10_000_000), `${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}`]) {
      const bytes = Buffer.from(text);
      const before = process.cpuUsage();
      expect(messageOf(() => parseBytes(bytes))).toBe("The body is nested more than 100 levels deep.");
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000).toBeLessThan(100);
    }
  });
});

describe("a key that comes twice", () => {
  test.each([
    ['{"a":1,"a":1}', "a"],
    ['{"a":1,"b":2,"\\u0061":3}', "a"],
    ['{"a":{"b":[0,{"c":1,"c":2}]}}', "a.b[1].c"],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
    ['{"":1,"":2}', '""'],
    ['{"a":{"x":1},"b":{"x":1},"a":2,"b":2}', "a"],
  ])("%s", (text, path) => {
    const problem = "given more than once; keep one of them";
    expect(refusal(text)).toBe(`${path}: ${problem}`);
  });

  test("is not one of another object, nor a string with a colon", () => {
    expect(refusal('{"a":{"a":"a:"},"b":[{"a":1},{"a":1}],"c":"\\"a\\":","d":"a","A":"a"}')).toBeNull();
  });

  test("a syntax error comes first", () => {
    expect(refusal('{"a":1,"a":}')).toBe("The body is not valid JSON (at byte offset 11).");
  });

  const anyKey = fc.constantFrom("a", "b", "\\u0061", "__proto__", '\\"', "");
  const anyJson = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom("1", "null", '"a"', '"\\":{"'),
      fc.array(tie("any"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
      fc
        .array(fc.tuple(anyKey, tie("any")), { maxLength: 3 })
        .map((pairs) => `{${pairs.map(([key, value]) => `"${key}" : ${value}`).join(",")}}`),
    ),
  })).any;
  const keysIn = (value: unknown): number =>
    typeof value !== "object" || value === null
      ? 0
      : (Array.isArray(value) ? 0 : Object.keys(value).length) +
        Object.values(value).reduce<number>((sum, each) => sum + keysIn(each), 0);

  test("in any text: JSON.parse drops one of its keys", () => {
    fc.assert(
      fc.property(anyJson, (text) => {
        const colons = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").replaceAll(/[^:]/g, "").length;
        expect({ text, twice: refusal(text) !== null }).toEqual({ text, twice: keysIn(JSON.parse(text)) < colons });
      }),
      campaign(2000),
    );
  });
});

describe("the place of a syntax error", () => {
  test.each([
    ['{"a": x}', 6],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["[1 2]", 3],
    ["[1,]", 3],
    ["{a:1}", 1],
    ["{'a':1}", 1],
    ["{}{}", 2],
    ["[01]", 2],
    ["[+1]", 1],
    ["[.5]", 1],
    ["[1.]", 2],
    ['{"a":tru}', 5],
    ['["\n"]', 2],
    ['["\\x"]', 2],
    ['["\\u12"]', 2],
    ["]", 0],
    ["[}", 1],
    ["[1}", 2],
    ["/* */ {}", 0],
    ["\u00a0[]", 0],
  ])("%j: %i", (text, at) => {
    expect(findFault(text).at).toBe(at);
    const offset = Buffer.byteLength(text.slice(0, at));
    expect(refusal(text)).toBe(`The body is not valid JSON (at byte offset ${offset}).`);
  });

  test.each(["[", '{"a"', '{"a":', '["x', '["x\\"', "[1,", '{"a":1,'])("%j ends too early", (text) => {
    expect(refusal(text)).toBe("The body is not valid JSON (it ends too early).");
  });

  test("is in bytes, after a byte order mark too", () => {
    expect(refusal('["é😀" x]')).toBe("The body is not valid JSON (at byte offset 10).");
    expect(messageOf(() => parseBytes(Buffer.from('\ufeff["é" x]')))).toBe(
      "The body is not valid JSON (at byte offset 9).",
    );
  });

  test("strings and numbers of any length", () => {
    const long = "1".repeat(1_000_000);
    for (const text of [`["${long}" x]`, `["${'\\"'.repeat(500_000)}" x]`, `[${long} x]`])
      expect(findFault(text).at).toBe(text.length - 2);
  });

  /** What may follow the valid beginning of a text, before its open brackets are closed. */
  const rests = ["", "0", '"', '":0', ":0", '"a":0'];
  function closersOf(text: string): string {
    const open: string[] = [];
    for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/g)) {
      if (token === "[") open.push("]");
      else if (token === "{") open.push("}");
      else if (token === "]" || token === "}") open.pop();
    }
    return open.reverse().join("");
  }
  const isJson = (text: string) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  test("for any changed text: JSON can begin with all before it", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom(...Array.from('"\\[]{},:0-.eN x\n')),
        fc.constantFrom("change", "add", "cut"),
        (json, place, mark, how) => {
          const at = place % json.length;
          const text = json.slice(0, at) + (how === "cut" ? "" : mark + json.slice(how === "add" ? at : at + 1));
          if (isJson(text)) return;
          found += 1;
          const beginning = text.slice(0, findFault(text).at);
          const ways = rests.map((rest) => beginning + rest + closersOf(beginning));
          expect({ text, beginning, isOne: ways.some(isJson) }).toMatchObject({ isOne: true });
        },
      ),
      campaign(3000),
    );
    expect(found).toBeGreaterThan(100);
  });
});
