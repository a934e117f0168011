import { z } from "zod";
import { filterLimits, parseFilter } from "../../words/filter.js";
import { parseJson } from "../bodies/jsonText.js";

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
export const parseFilterText = (json: string | undefined) =>
  json === undefined ? null : parseFilter(parseJson(json, "filters"));
