/** In JSON, U+0000 and surrogates can only come as escapes (raw ones are a syntax error or invalid UTF-8). */
const suspicious = /\\u(0000|d[89a-f][0-9a-f]{2})/i;

/**
 * The path of the first string or key in a parsed JSON value that PostgreSQL cannot store, and why. The raw text is looked at first,
 * so the usual request pays for one regular expression and no walk.
 */
export function findUnstorableText(
  raw: string,
  value: unknown,
  root: string,
): { path: string; problem: string } | null {
  if (!suspicious.test(raw)) return null;
  return findText(value, root, unstorable);
}

/** What is wrong with a text as PostgreSQL sees it; null when nothing is. */
export function unstorable(text: string): string | null {
  if (text.includes("\0")) return "must not contain the character U+0000";
  return text.isWellFormed() ? null : "must not contain a lone surrogate (half of a character)";
}

/** Stands for NaN in a text that is parsed only to find it; no JSON string of a request has this private-use form. */
const marker = "\uE000not a number\uE000";

/**
 * Python's json module writes NaN and Infinity, which are no JSON. The path of the first one in a text that did not parse, or null
 * when that is not what is wrong with it.
 */
export function findNotANumber(raw: string, root: string): string | null {
  const marked = raw.replace(/(?<=[[,:]\s*)(?:NaN|-?Infinity)(?=\s*[\],}])/g, JSON.stringify(marker));
  if (marked === raw) return null;
  try {
    return findText(JSON.parse(marked), root, (text) => (text === marker ? text : null))?.path ?? null;
  } catch {
    return null;
  }
}

/** Iterative, because a hostile body may be nested deeper than the call stack. */
function findText(
  value: unknown,
  root: string,
  problemOf: (text: string) => string | null,
): { path: string; problem: string } | null {
  const stack: { value: unknown; path: string }[] = [{ value, path: root }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (typeof top.value === "string") {
      const problem = problemOf(top.value);
      if (problem !== null) return { path: top.path, problem };
    } else if (Array.isArray(top.value)) {
      for (let i = top.value.length - 1; i >= 0; i -= 1) {
        const item: unknown = top.value[i];
        if (typeof item === "string" || typeof item === "object")
          stack.push({ value: item, path: shorten(`${top.path}[${i}]`) });
      }
    } else if (typeof top.value === "object" && top.value !== null) {
      for (const [key, item] of Object.entries(top.value).reverse()) {
        const problem = problemOf(key);
        if (problem !== null) return { path: top.path === "" ? "body" : top.path, problem: `a key ${problem}` };
        stack.push({ value: item, path: shorten(top.path === "" ? key : `${top.path}.${key}`) });
      }
    }
  }
  return null;
}

const shorten = (path: string) => (path.length > 200 ? `…${path.slice(-199)}` : path);
