import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ApiError } from "../../../src/words/errors.js";
import { BatchScanner } from "../../../src/http/bodies/batchScanner.js";
import { parseBytes } from "../../../src/http/bodies/jsonBody.js";
import { isObject } from "../../../src/words/exactJson.js";
import { campaign } from "../../support/campaign.js";
import { toRow } from "./rows.js";

/** The result of parsing a body as a whole, or the error. */
function whole(body: Buffer): unknown {
  try {
    const value = parseBytes(body);
    if (isObject(value) && Array.isArray(value.embeddings)) {
      value.embeddings = value.embeddings.map((row: unknown, i) => toRow(row, `embeddings[${i}]`));
    }
    return { value };
  } catch (error) {
    return { error };
  }
}

/** The same for a body that arrives in parts, split at `cuts`. */
function inParts(body: Buffer, cuts: readonly number[]): unknown {
  const scanner = new BatchScanner(100, toRow);
  const places = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length];
  try {
    for (let i = 1; i < places.length; i += 1) scanner.push(Buffer.from(body.subarray(places[i - 1], places[i])));
    return { value: scanner.end() };
  } catch (error) {
    return { error };
  }
}

const messageOf = (result: unknown) => {
  const { error } = result as { error?: unknown };
  return error instanceof ApiError ? error.message : null;
};

const space = fc.constantFrom("", "", " ", "\n\t", "\r\n  ");
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '"\\""',
    '"\\\\"',
    '"\\\\\\""',
    '"]}"',
    '"[{"',
    '"embeddings"',
    '"embedding"',
    '"\\"embedding\\": [1]"',
    '"\\u00e9"',
  ),
);
const list = (items: fc.Arbitrary<string>, open: string, close: string, minLength = 0) =>
  fc
    .tuple(fc.array(fc.tuple(space, items, space), { minLength, maxLength: 4 }), space)
    .map(([parts, end]) => `${open}${parts.map((part) => part.join("")).join(",")}${end}${close}`);
const member = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>) =>
  fc.tuple(name, space, space, value).map(([key, before, after, item]) => `${key}${before}:${after}${item}`);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }).map((value) => JSON.stringify(value)),
  fc.constantFrom("0", "-0", "1e3", "-0.012345679104328156", "12345678.5"),
);
const any: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    text,
    number,
    fc.constantFrom("null", "true", "{}", "[]"),
    list(tie("value"), "[", "]"),
    list(member(fc.oneof(text, fc.constant('"embedding"')), tie("value")), "{", "}"),
  ),
})).value;
const vector = fc.oneof(
  list(number, "[", "]", 1),
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 })
    .map((numbers) => `"${Buffer.from(Float32Array.from(numbers).buffer).toString("base64")}"`),
  fc.constant("null"),
);
const metadata = list(member(fc.oneof(text, fc.constant('"embedding"')), fc.oneof(any, vector)), "{", "}");
const row = fc
  .tuple(
    text.map((value) => `"content": ${value.slice(0, -1)}."`),
    fc.option(member(fc.constantFrom('"embedding"', '"embedding"', '"embedd\\u0069ng"'), vector)),
    fc.option(member(fc.constant('"metadata"'), metadata)),
    fc.option(member(fc.constantFrom('"embedding"', '"other"'), vector)),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([content, embedding, extra, second, turn]) => {
    const members = [content, embedding, extra, second].filter((each) => each !== null);
    return `{${[...members.slice(turn), ...members.slice(0, turn)].join(", ")}}`;
  });
const wrongRow = fc.oneof(any, list(member(text, any), "{", "}"));
const embeddings = (of: fc.Arbitrary<string>) =>
  member(fc.constantFrom('"embeddings"', '"embeddings"', '"\\u0065mbeddings"'), list(of, "[", "]"));
const body = (of: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.constantFrom("", "\ufeff", "\n"),
      list(
        fc.oneof(embeddings(of), embeddings(of), member(text, any), member(fc.constant('"embeddings"'), any)),
        "{",
        "}",
      ),
      space,
    )
    .map((parts) => Buffer.from(parts.join("")));
const cuts = fc.array(fc.nat(), { maxLength: 6 });

describe("a batch in parts gives the same result as a whole", () => {
  test("valid rows, in any order and form, with repeated names", () => {
    let good = 0;
    fc.assert(
      fc.property(body(row), cuts, (bytes, places) => {
        const expected = whole(bytes);
        if (messageOf(expected) === null) good += 1;
        const actual = inParts(bytes, places);
        // Of two errors, the first is reported.
        if (messageOf(expected) !== null) expect(messageOf(actual)).not.toBeNull();
        else expect(actual).toEqual(expected);
      }),
      campaign(3000),
    );
    expect(good).toBeGreaterThan(campaign(3000).numRuns / 3);
  });

  test("a bad row has the same message", () => {
    fc.assert(
      fc.property(wrongRow, cuts, (wrong, places) => {
        const bytes = Buffer.from(`{"return":"ids","embeddings":[{"content":"a","embedding":[1,2]}, ${wrong}]}`);
        expect(inParts(bytes, places)).toEqual(whole(bytes));
      }),
      campaign(2000),
    );
  });

  test("a changed, missing or additional byte is refused exactly if it is refused as a whole", () => {
    fc.assert(
      fc.property(
        body(row),
        fc.nat(),
        fc.oneof(fc.constantFrom(...Buffer.from('"\\[]{},:0-.eN ')), fc.integer({ min: 0, max: 255 })),
        fc.constantFrom("change", "remove", "add", "cut"),
        cuts,
        (bytes, place, byte, how, places) => {
          const at = place % bytes.length;
          const rest = how === "cut" ? [] : [bytes.subarray(how === "add" ? at : at + 1)];
          const changed = Buffer.concat([
            bytes.subarray(0, at),
            Buffer.from(how === "change" || how === "add" ? [byte] : []),
            ...rest,
          ]);
          const expected = whole(changed);
          const actual = inParts(changed, places);
          const text = changed.toString();
          if (messageOf(expected) === null) expect({ text, actual }).toEqual({ text, actual: expected });
          else expect({ text, refused: messageOf(actual) !== null }).toEqual({ text, refused: true });
          // Around the rows, the place of a mistake is that in the whole body.
          const message = messageOf(actual)?.match(/^The body is not valid JSON .*/)?.[0];
          if (message !== undefined) expect({ text, message }).toEqual({ text, message: messageOf(expected) });
        },
      ),
      campaign(5000),
    );
  });

  test("cut between any two bytes", () => {
    const bytes = Buffer.from(
      '{"a\\\\":"\\"\\\\","embe\\u0064dings" : [ {"content":"é\\"]}\\\\", "embedding":[0.5, -1e-2]},' +
        '{"metadata":{"k":[[1],"[",{"embedding":[1]}]},"content":"x","embedding":"AACAPw=="} ],"return":"ids"}',
    );
    const expected = whole(bytes);
    expect(expected).toMatchObject({ value: { return: "ids", embeddings: [{ content: 'é"]}\\' }, { content: "x" }] } });
    for (let at = 0; at <= bytes.length; at += 1) expect(inParts(bytes, [at])).toEqual(expected);
    expect(inParts(bytes, Array.from(bytes.keys()))).toEqual(expected);
  });
});

describe("errors of a batch", () => {
  const messageFor = (json: string | Buffer) => messageOf(inParts(Buffer.from(json), [7, 30]));
  const good = '{"content":"x","embedding":[1]}';

  test.each([
    ["", "The body is empty; expected a JSON object."],
    ["\u00a0 ", "The body is empty; expected a JSON object."],
    ['{"embeddings":[', "The body is not valid JSON (it ends too early)."],
    [`{"embeddings":[${good}`, "The body is not valid JSON (it ends too early)."],
    [`{"embeddings":[${good},]}`, "The body is not valid JSON (at byte offset 47)."],
    [`{"embeddings":[${good} ${good}]}`, "The body is not valid JSON (at byte offset 47)."],
    [`{"embeddings":[${good}}]`, "The body is not valid JSON (at byte offset 46)."],
    [`\ufeff{"é":"é","embeddings":[${good},${good}],}`, "The body is not valid JSON (at byte offset 93)."],
    [`{"embeddings":[{"content":"x","embedding":[1,]}]}`, "embeddings[0]: is not valid JSON (at byte offset 30)"],
    [`{"embeddings":[${good},{"content":'x'}]}`, "embeddings[1]: is not valid JSON (at byte offset 11)"],
    [`{"embeddings":[${good},{"content":"x`, "embeddings[1]: is not valid JSON (it ends too early)"],
    [`{"embeddings":[${good}],"embeddings":[`, "embeddings: given more than once; keep one of them"],
    [`{"embeddings":[${good}],"embeddings":1}`, "embeddings: given more than once; keep one of them"],
    [`{"embeddings":[${good}],"embeddings":[]}`, "embeddings: given more than once; keep one of them"],
    [
      `{"embeddings":[${good},{"content":"x","content":"y"}]}`,
      "embeddings[1].content: given more than once; keep one of them",
    ],
    [`{"embeddings":[${good},{"metadata":${"[".repeat(98)}`, "embeddings[1]: nested more than 100 levels deep"],
    [`{"return":${"[".repeat(100)}`, "The body is nested more than 100 levels deep."],
    [`{"embeddings":[${good},{"content":"x","embedding":[1,NaN]}]}`, /^embeddings\[1\]\.embedding\[1\]: NaN and Inf/],
    [`{"embeddings":[${good}, NaN]}`, /^embeddings\[1\]: NaN and Infinity/],
    [`{"embeddings":[${good}, {"embedding":[NaN`, /^embeddings\[1\]\.embedding\[0\]: NaN and Infinity/],
    [`{"embeddings":[${good}],"return":NaN}`, /^return: NaN and Infinity/],
    [`{"embeddings":[{"content":"x","embedding":[1,1e39]}]}`, /^embeddings\[0\]\.embedding\[1\]: expected a finite/],
    [`{"embeddings":[{"content":"x","embedding":[1,"1"]}]}`, /^embeddings\[0\]\.embedding\[1\]: expected a number/],
    [
      `{"embeddings":[${good},{"content":"\\u0000","embedding":[1]}]}`,
      /^embeddings\[1\]\.content: must not contain .*U\+0000/,
    ],
    [`{"embeddings":[${good},{"content":"\\ud800","embedding":[1]}]}`, /^embeddings\[1\]\.content: .*lone surrogate/],
    [`{"embeddings":[${good}],"return":"\\u0000"}`, /^return: must not contain/],
  ])("%s", (json, message) => {
    expect(messageFor(json)).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
  });

  test("broken UTF-8, in a row and around them", () => {
    const latin1 = (json: string) => Buffer.from(json, "latin1");
    expect(messageFor(latin1('{"embeddings":[{"content":"\xff","embedding":[1]}]}'))).toBe(
      "embeddings[0]: is not valid UTF-8",
    );
    expect(messageFor(latin1(`{"embeddings":[${good}],"x":"\xff"}`))).toBe("The body is not valid UTF-8.");
  });

  test("one row too many is refused before it arrives", () => {
    const scanner = new BatchScanner(3, toRow);
    scanner.push(Buffer.from(`{"embeddings":[${[good, good, good].join(",")}`));
    expect(() => {
      scanner.push(Buffer.from(","));
    }).toThrow(/^embeddings: at most 3 rows per request/);
  });
});

test("what a batch has beside its rows is limited, before it is parsed at once", () => {
  const large = Buffer.from(`{"embeddings":[{"content":"x"}],"more":"${"x".repeat(11 * 2 ** 20)}"}`);
  expect(messageOf(inParts(large, [1_000]))).toBe("The body has more than 10 MB beside its rows.");
  const spaced = Buffer.from(
    `{"embeddings":[${Array(90)
      .fill('{"content":"x"}')
      .join(`,${" ".repeat(1_000)}`)}]}`,
  );
  expect(messageOf(inParts(spaced, [1_000]))).toBeNull();
});

test("a row of more than 64 MB is refused before it is parsed at once", () => {
  const scanner = new BatchScanner(100, toRow);
  scanner.push(Buffer.from('{"embeddings":[{"content":"x"},{"metadata":{"a":"'));
  const more = Buffer.alloc(2 ** 20, "x");
  const pushed = () => {
    for (let megabytes = 0; megabytes < 65; megabytes += 1) scanner.push(more);
  };
  expect(pushed).toThrow("embeddings[1]: larger than 64 MB");
});
