import { isObject } from "../../words/exactJson.js";
import { pathText } from "./jsonStructure.js";

/** In JSON, U+0000 and surrogates can only appear as escapes; raw ones are a syntax error or invalid UTF-8. */
const suspicious = /\\u(0000|d[89a-f][0-9a-f]{2})/i;

/**
 * The path of the first string or key in a parsed JSON value that PostgreSQL cannot store, and why. The raw text is
 * tested first, so the usual request costs one regular expression and no walk.
 * @param value nested at most as deep as `parseJson` allows
 */
export function findUnstorableText(
  raw: string,
  value: unknown,
  root: string,
): { path: string; problem: string } | null {
  const found = suspicious.test(raw) ? findIn(value) : null;
  if (found === null) return null;
  return { path: pathText(root, found.places.reverse()) || (found.isKey ? "body" : ""), problem: found.problem };
}

interface Found {
  /** The way to the string, or to the object with the key, from inside out. */
  places: (string | number)[];
  isKey: boolean;
  problem: string;
}

function findIn(value: unknown): Found | null {
  if (typeof value === "string") {
    const problem = unstorable(value);
    return problem === null ? null : { places: [], isKey: false, problem };
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      const found = findAt(i, value[i]);
      if (found !== null) return found;
    }
    return null;
  }
  if (!isObject(value)) return null;
  for (const key of Object.keys(value)) {
    const problem = unstorable(key);
    const found = problem === null ? findAt(key, value[key]) : { places: [], isKey: true, problem: `a key ${problem}` };
    if (found !== null) return found;
  }
  return null;
}

function findAt(place: string | number, value: unknown): Found | null {
  const found = findIn(value);
  found?.places.push(place);
  return found;
}

/** Why PostgreSQL cannot store a text; null: it can. */
export function unstorable(text: string): string | null {
  if (text.includes("\0")) return "must not contain the character U+0000";
  return text.isWellFormed() ? null : "must not contain a lone surrogate (half of a character)";
}
