import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readBase64, readFloats } from "../../src/numbers/floatArray.js";
import { campaign } from "../support/campaign.js";

const bits = (numbers: ArrayLike<number>) => Array.from(new Uint32Array(Float32Array.from(numbers).buffer));

/** Compares the numbers bit by bit with those of JSON.parse, rounded to float32. */
function expectExact(texts: readonly string[], space = ""): void {
  const json = `[${texts.join(`,${space}`)}]`;
  const read = readFloats(Buffer.from(json), 0);
  expect({ json, bits: bits(read?.vector ?? []), end: read?.end }).toEqual({
    json,
    bits: bits(JSON.parse(json) as number[]),
    end: json.length,
  });
}

/** Any finite double, made of random bits so that all exponents occur. */
const double = fc
  .tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 0xffffffff }))
  .map((words) => new Float64Array(new Uint32Array(words).buffer)[0] ?? 0)
  .filter(Number.isFinite);
/** Any finite float32, made of random bits. */
const float = fc
  .integer({ min: 0, max: 0xffffffff })
  .map((word) => new Float32Array(new Uint32Array([word]).buffer)[0] ?? 0)
  .filter(Number.isFinite);
const nearOne = fc.double({ min: -1, max: 1, noNaN: true });
const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));
const integerText = fc.oneof(
  fc.constant("0"),
  fc.stringMatching(/^[1-9][0-9]{0,3}$/),
  fc.stringMatching(/^[1-9][0-9]{0,25}$/),
);

/** The middle between a float32 and the next one away from zero, which a double holds exactly. */
function middle(value: number): number {
  const words = new Uint32Array(Float32Array.of(value).buffer);
  words[0] = (words[0] ?? 0) + 1;
  return (value + (new Float32Array(words.buffer)[0] ?? 0)) / 2;
}

const texts: Record<string, fc.Arbitrary<string>> = {
  "doubles in their shortest form": double.map((value) => JSON.stringify(value)),
  "doubles near one": nearOne.map((value) => JSON.stringify(value)),
  "doubles with 17 digits": fc.oneof(double, nearOne).map((value) => value.toPrecision(17)),
  "doubles with 17 digits and a power": double.map((value) => value.toExponential(16)),
  "float32 as Python writes them": fc.oneof(float, nearOne.map(Math.fround)).map((value) => JSON.stringify(value)),
  "4 to 9 digits": fc.tuple(nearOne, fc.integer({ min: 4, max: 9 })).map(([value, count]) => value.toPrecision(count)),
  "middles between two float32": float.map((value) => JSON.stringify(middle(value))).filter((text) => text !== "null"),
  "exact middles, and a little more or less": fc
    .tuple(fc.oneof(float, nearOne.map(Math.fround)), fc.constantFrom("", "1", "0000000000000000000001"))
    .filter(([value]) => Math.abs(value) > 1e-20 && Math.abs(value) < 1e20)
    .map(([value, more]) => middle(value).toFixed(100) + more),
  "neighbouring doubles of middles": fc
    .tuple(float, fc.integer({ min: -40, max: 40 }))
    .map(([value, steps]) => {
      const words = new BigInt64Array(Float64Array.of(middle(value)).buffer);
      words[0] = (words[0] ?? 0n) + BigInt(steps);
      return new Float64Array(words.buffer)[0] ?? 0;
    })
    .filter(Number.isFinite)
    .map((value) => value.toPrecision(17)),
  "any digits": fc
    .tuple(
      fc.constantFrom("", "-"),
      integerText,
      fc.option(digits(1, 40)),
      fc.option(fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), digits(1, 4))),
    )
    .map(
      ([sign, whole, fraction, power]) =>
        sign + whole + (fraction === null ? "" : `.${fraction}`) + (power === null ? "" : power.join("")),
    ),
};

describe("numbers are read exactly as JSON.parse and Math.fround would", () => {
  test.each(Object.entries(texts))("%s", (_name, text) => {
    fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), fc.constantFrom("", " "), expectExact), {
      ...campaign(2000),
    });
  });

  test.each([
    [["0", "-0", "0.0", "-0.0", "-0e5", "0e999", "-0.000e-999"]],
    [
      [
        "3.4028234663852886e38",
        "3.4028235677973366e38",
        "3.4028235677973362e38",
        "1e39",
        "-1e400",
        "1e-400",
        "-1e-400",
      ],
    ],
    [["1e-45", "7.006492321624085e-46", "7.006492321624086e-46", "1.1754943508222875e-38", "5e-324"]],
    [["16777217", "16777219", "16777217.000000000000000000000000000000001", "9007199254740993", "1e22", "1e23"]],
    [
      [
        "1",
        "12",
        "123",
        "1234",
        "12345",
        "0.1",
        "0.12",
        "0.123",
        "0.1234",
        "0.12345",
        "1e1",
        "1E+1",
        "1e-1",
        "1.5e00001",
      ],
    ],
    [["0." + "0".repeat(400) + "1e401", "1" + "0".repeat(400) + "e-400", "1e" + "0".repeat(400) + "1"]],
  ])("%j", (given) => {
    expectExact(given);
    for (const text of given) expectExact([text]);
  });

  test("empty arrays, and white space of every kind", () => {
    for (const json of ["[]", "[ \n\t\r]", "[\t1 ,\n2\r\n]"]) {
      const read = readFloats(Buffer.from(json), 0);
      expect({ numbers: Array.from(read?.vector ?? []), end: read?.end }).toEqual({
        numbers: JSON.parse(json) as number[],
        end: json.length,
      });
    }
  });

  test("more numbers than any vector has are left to JSON.parse", () => {
    expect(readFloats(Buffer.from(`[${"1,".repeat(65_535)}1]`), 0)?.vector.length).toBe(65_536);
    expect(readFloats(Buffer.from(`[${"1,".repeat(65_536)}1]`), 0)).toBeNull();
  });
});

describe("anything but an array of JSON numbers is refused", () => {
  const accepts = (json: string) => readFloats(Buffer.from(json), 0)?.end === json.length;
  const isNumbers = (json: string) => {
    try {
      const value: unknown = JSON.parse(json);
      return Array.isArray(value) && value.every((item) => typeof item === "number");
    } catch {
      return false;
    }
  };

  test.each(
    ["+1", "01", "-01", "1.", ".5", "-.5", "1.e5", "1e", "1e+", "-", "", "1,", ",1", "1,,1", "1 1", "NaN", "-Infinity"]
      .concat([
        "0x10",
        "1_0",
        "null",
        '"1"',
        "[1]",
        "{}",
        "1\u00a0",
        "\ufeff1",
        "1\f",
        "--1",
        "1-",
        "1.2.3",
        "1e5.5",
        "１",
      ])
      .flatMap((inside) => [`[${inside}]`, `[1, ${inside}]`])
      .concat("[", "[1", "[1,", "[1.", "[-", "[1e", "[1234567"),
  )("%s", (json) => {
    // Of these only "[]", from the empty text, is JSON.
    expect(accepts(json)).toBe(json === "[]");
    expect(isNumbers(json)).toBe(json === "[]");
  });

  test("any text of the characters of numbers is accepted if and only if it is JSON", () => {
    const character = fc.constantFrom(..."00112345679--+..eE,,, \n]".split(""));
    fc.assert(
      fc.property(fc.array(character, { maxLength: 14 }), (characters) => {
        const json = `[${characters.join("")}]`;
        expect({ json, accepted: accepts(json) }).toEqual({ json, accepted: isNumbers(json) });
      }),
      campaign(50_000),
    );
  });

  test("any byte in any place", () => {
    const good = Buffer.from("[0.12345678, -12.5e-3,1234567]");
    for (let at = 1; at < good.length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        const json = bytes.toString("latin1");
        const read = readFloats(bytes, 0);
        const numbers = isNumbers(json) ? bits(JSON.parse(json) as number[]) : null;
        expect({ json, read: read?.end === json.length ? bits(read.vector) : null }).toEqual({ json, read: numbers });
      }
    }
  });
});

describe("base64", () => {
  const read = (text: string) => readBase64(Buffer.from(`"${text}"`), 0);

  test("of any floats is read bit by bit", () => {
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 40 }), (numbers) => {
        const text = Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
        expect(bits(read(text)?.vector ?? [])).toEqual(bits(numbers));
        expect(read(text)?.end).toBe(text.length + 2);
      }),
    );
  });

  test("anything but plain base64 of whole floats is refused", () => {
    const good = Buffer.from(Float32Array.of(1.5, -2.25, 3e8).buffer).toString("base64");
    for (let at = 0; at < good.length; at += 1) {
      for (const wrong of ["-", "_", "=", " ", "!", "\\n", "\\/", "é", "\0", ""]) {
        const text = good.slice(0, at) + wrong + good.slice(at + 1);
        const isGood = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, "base64").length % 4 === 0;
        expect({ text, read: read(text) !== null }).toEqual({ text, read: isGood });
      }
    }
    for (const text of ["", "=", "==", "AAAA", "AAAAA", "AAAAA="]) expect(read(text)).toBeNull();
    expect(readBase64(Buffer.from('"AACAPw=='), 0)).toBeNull();
  });
});
