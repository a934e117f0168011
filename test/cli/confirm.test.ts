import { expect, test } from "@jest/globals";
import { PassThrough } from "node:stream";
import { confirm } from "../../src/cli/confirm.js";

test.each([
  ["y\n", true],
  ["YES\r\n", true],
  [" yes \n", true],
  ["\n", false],
  ["n\n", false],
  ["yep\n", false],
  ["y", false],
  ["", false],
])("%j means %j", async (typed, meaning) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(typed);
  expect(await confirm("Sure?", input, output)).toBe(meaning);
  expect(String(output.read())).toBe("Sure? [y/N] ");
});
