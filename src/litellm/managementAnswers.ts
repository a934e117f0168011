import { z } from "zod";

/* How LiteLLM's management routes write failures and moments. */

/** What LiteLLM says in an answer that is no success. */
export interface Said {
  /** LiteLLM's name of the failure, such as `auth_error`; "" in FastAPI's shapes, which have none. */
  readonly type: string;
  readonly message: string;
}

const error = z.union([
  z.string().transform((message) => ({ type: "", message })),
  z
    .object({ type: z.string().nullish(), message: z.string().nullish() })
    .transform(({ type, message }) => ({ type: type ?? "", message: message ?? "" })),
]);
const problem = z.object({ msg: z.string(), loc: z.array(z.union([z.string(), z.number()])).optional() });
const failureShape = z.object({
  error: error.optional().catch(undefined),
  detail: z
    .union([z.string(), z.object({ error }), z.array(problem)])
    .optional()
    .catch(undefined),
});

/**
 * Reads LiteLLM's failures in any of their shapes: `{"error": {…}}`, and FastAPI's `{"detail": string | {"error": …} |
 * [{"msg", "loc"}]}`. Null: nothing that we know, so perhaps it is not LiteLLM.
 */
export function saidIn(body: unknown): Said | null {
  const read = failureShape.catch({}).parse(body);
  if (read.error !== undefined) return read.error;
  const { detail } = read;
  if (detail === undefined) return null;
  if (typeof detail === "string") return { type: "", message: detail };
  if (!Array.isArray(detail)) return detail.error;
  // The first part of a place is `body` or `query`.
  const message = detail.map(({ msg, loc = [] }) => [...loc.slice(1), msg].join(": ")).join("; ");
  return { type: "", message };
}

/** Unix milliseconds. LiteLLM writes UTC, with or without the zone. */
export function momentOf(text: string | null | undefined): number | null {
  if (text == null) return null;
  const moment = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(moment) ? null : moment;
}
