import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { fieldsOf } from "../../src/rows/jsonFields.js";

const valuesOf = (text: string) => {
  const bytes = Buffer.from(text);
  return Object.fromEntries(
    [...fieldsOf(bytes)].map(([name, { start, end }]) => [name, bytes.toString("utf8", start, end)]),
  );
};

describe("the fields of a JSON object", () => {
  test("are found where JSON.parse finds them, whatever is in them", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()),
        fc.constantFrom("", " ", "\t \r"),
        (object, space) => {
          const text = `${space}{${Object.entries(object)
            .map(([name, value]) => `${space}${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}${space}`)
            .join(",")}}${space}`;
          const found = valuesOf(text);
          expect(Object.keys(found).sort()).toEqual(Object.keys(object).sort());
          for (const [name, value] of Object.entries(found)) expect(value).toBe(JSON.stringify(object[name]));
        },
      ),
    );
  });

  test("keep the text of numbers, and of two of one name the last counts", () => {
    expect(valuesOf('{"a": 12345678901234567890.10, "\\u0061": [1, 2.50]}')).toEqual({ a: "[1, 2.50]" });
    expect(valuesOf('{"m":{"n":1e400,"t":"\\"}"}}')).toEqual({ m: '{"n":1e400,"t":"\\"}"}' });
    expect(valuesOf("{}")).toEqual({});
  });

  test.each([
    ["", "ends too early"],
    ["[1]", "column 1"],
    ['{"a":1', "ends too early"],
    ['{"a":1} x', "column 9"],
    ['{"a" 1}', "column 6"],
    ['{"a":1,}', "column 8"],
    ['{"a":}', "column 6"],
    ["{a:1}", "column 2"],
    ['{"a":"x}', "ends too early"],
    ['{"a":[1,{"b":2}', "ends too early"],
    ['{"a":1 2}', "column 8"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => valuesOf(text)).toThrow(SyntaxError);
    expect(() => valuesOf(text)).toThrow(message);
  });

  test("any text either is an object to JSON.parse too, or is refused by one of the two", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{ } [ ] " , : \\ 1 a e t r u - . n'.split(" ")) }), (text) => {
        let fields: Record<string, string>;
        try {
          fields = valuesOf(text);
          for (const value of Object.values(fields)) JSON.parse(value);
        } catch {
          return;
        }
        expect(Object.keys(JSON.parse(text) as object).sort()).toEqual(Object.keys(fields).sort());
      }),
      { numRuns: 2000 },
    );
  });
});
