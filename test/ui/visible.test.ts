import { expect, test } from "@jest/globals";
import { visible } from "../../ui/src/parts/visible.js";

test.each([
  ["  Two  spaces,\ttab,\nline\r\nand\u00a0fixed ", "Two spaces, tab, line and fixed"],
  ["zero\u200bwidth \u202eturned\u202c", "zerowidth turned"],
  ["Cafe\u0301", "Café"],
  ["👩‍🔬", "👩🔬"],
  ...["", " ", "\t\n", "\u200b\u2060", "\u3164", "\u2800\u2800", "\u0000\u001b"].map((text) => [text, ""] as const),
])("of %j people see %j", (text, seen) => {
  expect(visible(text)).toBe(seen);
});
