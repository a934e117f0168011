/** In JSON, U+0000 and surrogates can only appear as escapes; raw ones are a syntax error or invalid UTF-8. */
const suspicious = /\\u(0000|d[89a-f][0-9a-f]{2})/i;

/**
 * The path of the first string or key in a parsed JSON value that PostgreSQL cannot store, and why. The raw text is
 * tested first, so the usual request costs one regular expression and no walk. The walk is iterative and keeps only the
 * path to its current position, because a hostile body may be nested deeper than the call stack, or have more elements
 * than a list of pending ones could hold.
 */
export function findUnstorableText(
  raw: string,
  value: unknown,
  root: string,
): { path: string; problem: string } | null {
  if (!suspicious.test(raw)) return null;
  if (typeof value === "string") return problemAt(unstorable(value), () => root);
  const frames = isContainer(value) ? [open(value)] : [];
  const path = (depth: number) => pathText(root, frames.slice(0, depth).map(placeIn));
  for (let top = frames.at(-1); top !== undefined; top = frames.at(-1)) {
    top.at += 1;
    const place = placeIn(top);
    if (top.at >= top.size) {
      frames.pop();
      continue;
    }
    const key = typeof place === "string" ? unstorable(place) : null;
    if (key !== null) return { path: path(frames.length - 1) || "body", problem: `a key ${key}` };
    const item = top.values[place];
    const found = typeof item === "string" ? problemAt(unstorable(item), () => path(frames.length)) : null;
    if (found !== null) return found;
    if (isContainer(item)) frames.push(open(item));
  }
  return null;
}

/** Why PostgreSQL cannot store a text; null: it can. */
export function unstorable(text: string): string | null {
  if (text.includes("\0")) return "must not contain the character U+0000";
  return text.isWellFormed() ? null : "must not contain a lone surrogate (half of a character)";
}

/**
 * Python's json module writes NaN and Infinity, which are not JSON. The path of the first one in a text that did not
 * parse; null if something else is wrong with it. Always a single pass: the text may be 256 MB long and hostile.
 */
export function findNotANumber(raw: string, root: string): string | null {
  const places: (number | string)[] = [];
  let lastString = { start: 0, end: 0 };
  for (let i = 0; i < raw.length; i += 1) {
    const top = places.length - 1;
    const place = places[top];
    switch (raw.charAt(i)) {
      case '"':
        lastString = { start: i + 1, end: endOfString(raw, i) };
        i = lastString.end;
        break;
      case "[":
        places.push(0);
        break;
      case "{":
        places.push("");
        break;
      case "]":
      case "}":
        places.pop();
        break;
      case ",":
        if (typeof place === "number") places[top] = place + 1;
        break;
      case ":":
        if (typeof place === "string") places[top] = raw.slice(lastString.start, lastString.end);
        break;
      case "N":
      case "I":
        return raw.startsWith("NaN", i) || raw.startsWith("Infinity", i) ? pathText(root, places) : null;
      default:
    }
  }
  return null;
}

/** Index of the quote that ends the string beginning at `start`; the text's length if it has no end. */
function endOfString(raw: string, start: number): number {
  for (let end = raw.indexOf('"', start + 1); end !== -1; end = raw.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (raw[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return raw.length;
}

/** A container on the path to the current value; `at` is the position in it. */
interface Frame {
  values: Record<number | string, unknown>;
  /** null for an array. */
  keys: string[] | null;
  size: number;
  at: number;
}

const isContainer = (value: unknown): value is Frame["values"] => typeof value === "object" && value !== null;

function open(values: Frame["values"]): Frame {
  const keys = Array.isArray(values) ? null : Object.keys(values);
  return { values, keys, size: keys?.length ?? (values.length as number), at: -1 };
}

const placeIn = (frame: Frame): number | string => frame.keys?.[frame.at] ?? frame.at;

const problemAt = (problem: string | null, path: () => string) => (problem === null ? null : { path: path(), problem });

/** A path such as `root.key[17].key`; of a long one, only the end. */
function pathText(root: string, places: readonly (number | string)[]): string {
  const shown = places.slice(-20).map((place) => (typeof place === "number" ? `[${place}]` : `.${place.slice(0, 64)}`));
  const text = (places.length > shown.length ? "…" : root) + shown.join("");
  const path = root === "" ? text.replace(/^\./, "") : text;
  return path.length > 200 ? `…${path.slice(-199)}` : path;
}
