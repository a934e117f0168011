import { z } from "zod";
import { type OnConflict, conflictRules } from "../../words/chunk.js";
import { invalid } from "../../words/errors.js";
import { optional } from "./common.js";

const onConflict = z.enum(conflictRules);
const aboutConflict =
  "what happens to a row whose id exists in the vector store with other content, metadata or embedding; error: 409, and " +
  "nothing is stored; skip: the stored row stays; replace: it takes the new content, metadata and embedding";
export const conflictField = optional(onConflict).describe(aboutConflict);

/** For streams of rows, which have no field for it. */
export const insertQuery = z.object({ on_conflict: onConflict.optional().describe(aboutConflict) });

/** The rule of a request, which may name it in the query string or in the body; null: nowhere. */
export function readConflictRule(query: z.output<typeof insertQuery>, said: OnConflict | undefined): OnConflict | null {
  if (query.on_conflict !== undefined && said !== undefined && query.on_conflict !== said)
    throw invalid("on_conflict", "differs in the body and in the query string; keep one");
  return query.on_conflict ?? said ?? null;
}
