import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { countParts } from "../../../src/http/bodies/formParts.js";

test("the parts of a form are counted, however its bytes are split", () => {
  const body = fc.array(fc.string({ unit: fc.constantFrom("\r", "\n", "-", "b", "x") }), { maxLength: 6 });
  fc.assert(
    fc.property(body, fc.array(fc.nat(500), { maxLength: 8 }), (contents, cuts) => {
      // A delimiter ends every content that contains one.
      const parts = contents.filter((text) => !`${text}\r\n`.includes("--bound"));
      const bytes = Buffer.from(`${parts.map((text) => `--bound\r\n\r\n${text}\r\n`).join("")}--bound--\r\n`);
      const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      const counter = countParts("bound");
      places.slice(1).forEach((to, i) => {
        counter.see(bytes.subarray(places[i], to));
      });
      expect(counter.count()).toBe(parts.length);
    }),
  );
});

test.each([
  ["", 0],
  ["--bound--\r\n", 0],
  ["--bound\r\n--bound\r\n", 2],
  ["preamble\r\n--bound\r\n\r\nx\r\n--bound--", 1],
  ["--boundless\r\n", 0],
  ["x--bound\r\n", 0],
])("%j has %i parts", (text, expected) => {
  const counter = countParts("bound");
  counter.see(Buffer.from(text));
  expect(counter.count()).toBe(expected);
});
