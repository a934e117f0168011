import type { z } from "zod";
import { type ApiError, invalid } from "../../words/errors.js";
import { ExactNumber } from "../../words/exactJson.js";

/**
 * Checks a value of a request against its schema. Handlers get one with their call, which also looks for unknown fields
 * (`requestParser.ts`).
 * @param root path of the value, e.g. `embeddings[17]`; null: the top level
 * @throws ApiError 400 naming the field and what was expected
 */
export type Parse = <T>(schema: z.ZodType<T>, value: unknown, root: string | null) => T;

/**
 * As `Parse`, but drops unknown fields in silence; only `requestParser.ts` may use it on what a caller sent. A field
 * that must be a number is a double, so an `ExactNumber` there is rounded; only fields for any JSON take it as it is.
 */
export function parseValue<T>(schema: z.ZodType<T>, value: unknown, root: string | null): T {
  const first = schema.safeParse(value);
  if (first.success) return first.data;
  const refused = first.error.issues.filter(({ code }) => code === "invalid_type" || code === "invalid_union");
  const rounded = refused.reduce((whole, { path }) => roundAt(whole, path), value);
  const result = rounded === value ? first : schema.safeParse(rounded);
  if (result.success) return result.data;
  throw firstProblem(result.error, root);
}

/** No schema has numbers deeper; a hostile body may be nested deeper than the call stack. */
const deepest = 16;

/** The value with the numbers at and below a path as doubles; the same value if there is no `ExactNumber`. */
function roundAt(value: unknown, [key, ...path]: readonly PropertyKey[], depth = 0): unknown {
  if (value instanceof ExactNumber) return value.toNumber();
  if (typeof value !== "object" || value === null || value instanceof Float32Array || depth > deepest) return value;
  const entries: (readonly [string, unknown])[] = Object.entries(value);
  const rounded = entries.map(
    ([name, each]) =>
      [name, key === undefined || name === String(key) ? roundAt(each, path, depth + 1) : each] as const,
  );
  if (rounded.every(([, each], i) => each === entries[i]?.[1])) return value;
  return Array.isArray(value) ? rounded.map(([, each]) => each) : Object.fromEntries(rounded);
}

function firstProblem(error: z.ZodError, root: string | null): ApiError {
  const [issue] = error.issues;
  if (issue === undefined) return invalid(root, "is not valid");
  const path = pathOf(issue.path, root);
  const isMissing = issue.code === "invalid_type" && issue.message.endsWith(", received undefined");
  // "expected string, received undefined" is how a library says that a field is missing.
  const message = isMissing
    ? `is required: ${issue.message.replace(/^Invalid input: /, "").replace(", received undefined", "")}`
    : issue.message.replace(/^Invalid input: /, "").replace(/^Too (big|small): /, "");
  const code = issue.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return invalid(path === "" ? null : path, message, code);
}

function pathOf(path: readonly PropertyKey[], root: string | null): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number"
        ? `${text}[${part}]`
        : text === ""
          ? String(part).slice(0, 64)
          : `${text}.${String(part).slice(0, 64)}`,
    root ?? "",
  );
}
