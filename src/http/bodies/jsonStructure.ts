import { endOfString } from "../../words/exactJson.js";

/* Objects, arrays and keys of JSON text, valid or not, without its values: one quick pass before JSON.parse. */

/** Far more than any request needs: filters end at 20 levels, metadata at 32. JSON.parse takes a second for 10 MB. */
export const mostLevels = 100;

/**
 * Members of all objects and elements of all arrays, far more than any request needs: a vector has 16,000. JSON.parse
 * and the checks behind it take 0.1 to 0.2 s for them, seconds for a million, and nothing else runs meanwhile.
 */
const mostValues = 50_000;

export interface StructureProblem {
  /** The text has too many levels or values: nothing should parse it. */
  isTooMuch: boolean;
  /** Of too many levels or values: the text's own field where they exceed the limit. Of a repeated key: its place. */
  path: string;
  problem: string;
}

/**
 * The first object or array that is nested too deeply, or the value that is one too many; without one, the first key
 * that an object has twice.
 * @param counted values that have a limit of their own
 */
export function findStructureProblem(text: string, root: string, counted = 0): StructureProblem | null {
  const { levels, twice, isTooLarge } = follow(text, text.length, mostValues + counted);
  const isTooDeep = levels.length > mostLevels;
  if (isTooDeep || isTooLarge) {
    const field = levels[0]?.keys && levels.length > 1 ? [placeIn(levels[0])] : [];
    return { isTooMuch: true, path: pathText(root, field), problem: isTooDeep ? tooDeep : tooLarge };
  }
  return twice === null ? null : { isTooMuch: false, path: pathText(root, twice), problem: repeated };
}

export const tooDeep = `nested more than ${mostLevels} levels deep`;
const tooLarge = `too large: more than ${mostValues.toLocaleString("en")} values in all`;
export const repeated = "given more than once; keep one of them";

/** The path of the value at an index of a text. */
export const pathAt = (text: string, index: number, root: string): string =>
  pathText(root, follow(text, index).levels.map(placeIn));

/** An object or array on the way to the current value. */
interface Level {
  /** The keys so far; null for an array. */
  keys: Set<string> | null;
  /** Of the current value: its key, or its index. */
  place: string | number;
}

const placeIn = (level: Level | undefined) => level?.place ?? "";

const [quote, comma, colon] = [0x22, 0x2c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** What is open at an index of a text, or where it gets too much; and the place of the first key that comes again. */
function follow(text: string, end: number, most = Infinity) {
  const levels: Level[] = [];
  let top: Level | undefined;
  let twice: Level["place"][] | null = null;
  let [stringStart, stringEnd] = [0, 0];
  let values = 0;
  for (let at = 0; at < end && levels.length <= mostLevels && values <= most; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      stringStart = at;
      at = endOfString(text, at);
      stringEnd = at;
    } else if (code === comma) {
      values += 1;
      if (typeof top?.place === "number") top.place += 1;
    } else if (code === colon) {
      if (!top?.keys) continue;
      const key = keyIn(text.slice(stringStart, stringEnd + 1));
      top.place = key;
      if (top.keys.has(key)) twice ??= levels.map(placeIn);
      top.keys.add(key);
    } else if (code === openObject || code === openArray) {
      values += 1;
      top = code === openArray ? { keys: null, place: 0 } : { keys: new Set(), place: "" };
      levels.push(top);
    } else if (code === closeObject || code === closeArray) {
      levels.pop();
      top = levels.at(-1);
    }
  }
  return { levels, twice, isTooLarge: values > most };
}

/** A key as JSON.parse reads it; one that is not valid, as it is written. */
function keyIn(literal: string): string {
  if (literal.includes("\\")) {
    try {
      return JSON.parse(literal) as string;
    } catch {
      // Whoever parses the text refuses it.
    }
  }
  return literal.slice(1, -1);
}

/** A path such as `root.key[17].key`; of a long one, only the end. */
export function pathText(root: string, places: readonly (number | string)[]): string {
  const shown = places
    .slice(-20)
    .map((place) => (typeof place === "number" ? `[${place}]` : `.${place === "" ? '""' : place.slice(0, 64)}`));
  const text = (places.length > shown.length ? "…" : root) + shown.join("");
  const path = root === "" ? text.replace(/^\./, "") : text;
  return path.length > 200 ? `…${path.slice(-199)}` : path;
}
