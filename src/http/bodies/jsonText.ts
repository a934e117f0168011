import { invalid } from "../../words/errors.js";
import { parseExactJson } from "../../words/exactJson.js";
import { findFault } from "./jsonFault.js";
import { findStructureProblem, pathAt } from "./jsonStructure.js";
import { findUnstorableText } from "./unstorableText.js";

/**
 * Parses JSON of a request: a body, a part of one, a field of a form or of a query string. Its numbers keep their
 * digits. Refuses too many levels or values before the text is parsed, keys that an object has twice, of which
 * JSON.parse would drop the first, and strings that PostgreSQL cannot store.
 * @param path the text's place in the request; `""`: it is the body
 * @param byteAt the byte of the body, or of the text at `path`, that is at an index of `text`
 * @param counted as in `findStructureProblem`
 * @throws ApiError 400 naming the field, and for a syntax error the byte
 */
export function parseJson(
  text: string,
  path: string,
  byteAt = (index: number) => Buffer.byteLength(text.slice(0, index)),
  counted = 0,
): unknown {
  const structure = findStructureProblem(text, path, counted);
  if (structure?.isTooMuch === true) throw refusal(structure);
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    throw syntaxError(text, path, byteAt);
  }
  const problem = structure ?? findUnstorableText(text, value, path);
  if (problem !== null) throw refusal(problem);
  return value;
}

const refusal = ({ path, problem }: { path: string; problem: string }) =>
  path === "" ? invalid(null, `The body is ${problem}.`) : invalid(path, problem);

function syntaxError(text: string, path: string, byteAt: (index: number) => number) {
  const { at, isNotANumber } = findFault(text);
  if (isNotANumber)
    return invalid(pathAt(text, at, path) || null, "NaN and Infinity are not JSON numbers and cannot be stored");
  const where = at === text.length ? "it ends too early" : `at byte offset ${byteAt(at)}`;
  return path === ""
    ? invalid(null, `The body is not valid JSON (${where}).`, "invalid_json")
    : invalid(path, `is not valid JSON (${where})`, "invalid_json");
}
