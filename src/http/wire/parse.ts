import type { z } from "zod";
import { ApiError, invalid } from "../../words/errors.js";

/**
 * Checks a value against its schema.
 * @param root path of the value, e.g. `embeddings[17]`; null: the top level
 * @throws ApiError 400 naming the field and what was expected
 */
export function parseWith<T>(schema: z.ZodType<T> | undefined, value: unknown, root: string | null): T | undefined {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw firstProblem(result.error, root);
}

/** As `parseWith`, with a schema that is always given. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, root: string | null): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw firstProblem(result.error, root);
}

function firstProblem(error: z.ZodError, root: string | null): ApiError {
  const [issue] = error.issues;
  if (issue === undefined) return invalid(root, "is not valid");
  const path = pathOf(issue.path, root);
  const message = issue.message.replace(/^Invalid input: /, "").replace(/^Too (big|small): /, "");
  return invalid(path === "" ? null : path, message, issue.code === "invalid_type" ? "invalid_type" : "invalid_value");
}

function pathOf(path: readonly PropertyKey[], root: string | null): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number"
        ? `${text}[${part}]`
        : text === ""
          ? String(part)
          : `${text}.${String(part).slice(0, 64)}`,
    root ?? "",
  );
}
