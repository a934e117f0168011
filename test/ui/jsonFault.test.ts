import { expect, test } from "@jest/globals";
import { type JsonFault, jsonFault } from "../../ui/src/parts/jsonFault.js";

test.each<[string, JsonFault | null]>([
  ['{"a": 1}', null],
  ["[1]", "object"],
  ['"text"', "object"],
  ["null", "object"],
  ['{"topic": ', "end"],
  ['{"topic": "x', "end"],
  ["{", "end"],
  ['{\n  "topic": "page"\n  "n": 0\n}', { line: 3, column: 3 }],
  ["topic", "syntax"],
])("of %j the page says what is wrong: %j", (text, fault) => {
  expect(jsonFault(text)).toEqual(fault);
});
