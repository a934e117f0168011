import { z } from "zod";
import { invalid } from "../../words/errors.js";
import { parseExactJson } from "../../words/exactJson.js";
import { filterLimits, parseFilter } from "../../words/filter.js";
import { findUnstorableText } from "../bodies/unstorableText.js";

/** Checked by `parseFilter`, whose errors name the place. */
export const filtersField = z
  .unknown()
  .optional()
  .meta({
    description:
      'OpenAI: {"type": "eq" | "ne" | "gt" | "gte" | "lt" | "lte" | "in" | "nin", "key", "value"} or {"type": "and" | "or", "filters": […]}, ' +
      'or this service\'s "contains" and "all" (arrays), "exists" (true or false), "prefix" and "substring" (texts); ' +
      `at most ${filterLimits.depth} levels, ${filterLimits.conditions} conditions and ${filterLimits.values} values in lists; ` +
      'or the flat form {"key": value, …}: all keys must be equal. Values are compared within their type: 5 is not "5".',
    type: ["object", "null"],
  });

/** A filter in a query string. @param whose what it narrows */
export const filtersText = (whose: string) =>
  z.string().optional().describe(`a filter ${whose} as JSON, in either form that a search accepts`);

/** Parses a filter in a query string. @throws ApiError 400 */
export function parseFilterText(json: string | undefined) {
  if (json === undefined) return null;
  let value: unknown;
  try {
    value = parseExactJson(json);
  } catch {
    throw invalid("filters", "is not valid JSON", "invalid_json");
  }
  const bad = findUnstorableText(json, value, "filters");
  if (bad !== null) throw invalid(bad.path, bad.problem);
  return parseFilter(value);
}
