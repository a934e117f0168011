import { z } from "zod";
import { ExactNumber, isObject, problemWithNumber } from "../../words/exactJson.js";

/** An optional field; null means absent, because LiteLLM sends null for every field that its caller left out. */
export const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

/** A text in a URL or a body that goes to the database, which cannot store U+0000. */
export const plainText = (longest: number) =>
  z
    .string()
    .min(1, "must not be empty")
    .max(longest, `at most ${longest} characters`)
    .refine((value) => !value.includes("\0"), "must not contain U+0000");

export const modelName = z.string().min(1, "must not be empty").max(256, "at most 256 characters");

/** A whole number in a query string. */
export const queryInteger = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .optional()
    .transform((value) => value ?? fallback)
    .meta({ type: "integer", minimum: min, maximum: max });

const cursor = (which: string) =>
  z
    .string()
    .min(1, "must not be empty")
    .max(1000, "at most 1000 characters")
    .optional()
    .describe(`an item's id: returns the page ${which} it`);

/** OpenAI's paging: `after` and `before` are ids of list items. */
export const pageQuery = (maxLimit: number) =>
  z.object({
    limit: queryInteger(1, maxLimit, 20),
    order: z
      .enum(["asc", "desc"])
      .default("desc")
      .describe("by creation time: `asc` = oldest first, `desc` = newest first"),
    after: cursor("after"),
    before: cursor("before"),
  });

/** The page that a query asks for, with null for absent cursors. */
export const readPage = ({ after, before, ...page }: z.output<ReturnType<typeof pageQuery>>) => ({
  ...page,
  after: after ?? null,
  before: before ?? null,
});

export const storeParams = z.object({ vector_store_id: z.string().describe("id of the vector store") });

/** The schema of OpenAI's list object. @param id its name in the OpenAPI document */
export const listAnswer = <T extends z.ZodType>(id: string, item: T) =>
  z
    .object({
      object: z.literal("list"),
      data: z.array(item),
      first_id: z.string(),
      last_id: z.string(),
      has_more: z.boolean(),
    })
    .meta({ id });

/** An OpenAI list page. In an empty page, `first_id` and `last_id` are "", because OpenAI's schema requires strings. */
export function presentList<T extends { id: string }>(data: T[], hasMore: boolean) {
  return {
    object: "list" as const,
    data,
    first_id: data[0]?.id ?? "",
    last_id: data.at(-1)?.id ?? "",
    has_more: hasMore,
  };
}

/** Unix seconds, as in all answers, from milliseconds. */
export const seconds = (millis: number) => Math.floor(millis / 1000);

const maxDepth = 32;

/** A JSON object of any shape, nested at most 32 deep, with numbers in the range of a double: jsonb accepts it. */
export const jsonObject = z
  .custom<Record<string, unknown>>(isObject, { error: "expected an object" })
  .superRefine((value, context) => {
    const problem = jsonProblem(value, 1);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  })
  .meta({ type: "object", additionalProperties: true });

function jsonProblem(value: unknown, depth: number): string | null {
  if (typeof value === "number" || value instanceof ExactNumber) {
    const problem = problemWithNumber(value);
    return problem === null ? null : `contains ${problem}`;
  }
  if (typeof value !== "object" || value === null) return null;
  if (depth > maxDepth) return `nested more than ${maxDepth} levels deep`;
  for (const item of Object.values(value)) {
    const problem = jsonProblem(item, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** The value of a jsonb column as an object; `{}` for null, arrays and plain values, which adopted tables may hold. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

const longestOverlapSeconds = 30 * 86_400;
/** How long a key that is rotated works beside the new one, at LiteLLM and here. */
export const rotation = z.object({
  overlap_seconds: z
    .int()
    .min(0, "must be at least 0")
    .max(longestOverlapSeconds, `must be at most ${longestOverlapSeconds}`)
    .default(3600),
});
