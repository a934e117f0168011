import type { Response } from "express";
import type { z } from "zod";
import type { Deps } from "../core/deps.js";
import { invalid } from "../words/errors.js";
import { foreignField } from "./wire/foreignFields.js";
import { nearestField } from "./wire/nearestField.js";
import { type Parse, parseValue } from "./wire/parse.js";
import { type UnknownField, findUnknownFields } from "./wire/unknownFields.js";

interface Asked {
  /** Method and path, as in `post /vector_stores`. */
  route: string;
  /** Whether unknown fields are named in the answer's header instead of being refused. */
  onlyWarns: boolean;
  res: Response;
  warn: (message: string) => void;
}

/** Different unknown fields of one request that are warned of and counted. */
const mostWarnings = 20;

/**
 * Makes the function that checks everything a request says. First the names: a field that the schema does not have
 * would be dropped, and if it was a misspelt filter, the request would return or delete more than was asked for. So it
 * is refused, or with UNKNOWN_FIELDS=warn named in the answer's header; both are counted and logged. Then the values.
 * @returns a function that throws ApiError 400: `unknown_parameter`, or as `parseValue`
 */
export function requestParser(deps: Pick<Deps, "log" | "metrics">, asked: Asked): Parse {
  const { route, onlyWarns, res, warn } = asked;
  const action = onlyWarns ? "warned" : "refused";
  const seen = new Set<string>();
  const report = (field: UnknownField) => {
    const foreign = foreignField(route, field.path);
    if (foreign !== undefined) {
      if (foreign.warning !== undefined) warn(foreign.warning);
      return;
    }
    // Ten thousand rows with the same misspelt field are one mistake.
    const place = field.path.replaceAll(/\[\d+\]|^line \d+/g, "[]");
    if (seen.has(place) || seen.size >= mostWarnings) return;
    seen.add(place);
    const nearest = nearestField(field.name, field);
    // The label takes only our own names: callers must not be able to make new series.
    const labels = { route: route.slice(route.indexOf(" ") + 1), field: nearest ?? "other", action };
    deps.metrics.unknownFields.inc(labels);
    const requestId = res.getHeader("x-request-id");
    deps.log.warn({ requestId, ...labels, route, unknown: place.slice(0, 200) }, `unknown field ${action}`);
    const problem = describe(nearest, field.known);
    if (action === "refused") throw invalid(field.path.slice(0, 200), problem, "unknown_parameter");
    warn(`${field.path.slice(0, 200)}: ${problem}; it was ignored`);
  };
  return (schema: z.ZodType, value: unknown, root) => {
    findUnknownFields(schema, value, root, report);
    return parseValue(schema, value, root) as never;
  };
}

function describe(nearest: string | null, known: readonly string[]): string {
  if (nearest !== null) return `unknown parameter; did you mean "${nearest}"?`;
  if (known.length === 0) return "unknown parameter; nothing is taken here";
  const some = known.slice(0, 12).join(", ");
  return `unknown parameter; known here: ${some}${known.length > 12 ? ", …" : ""}`;
}
