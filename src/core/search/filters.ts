import type { Engine } from "../../engines/engine.js";
import { ApiError } from "../../words/errors.js";
import type { Filter } from "../../words/filter.js";

/** Refuses a filter with an operator that the engine does not support exactly. @throws ApiError 400 */
export function requireOperators(engine: Pick<Engine, "name" | "can">, filter: Filter | null): void {
  if (filter === null) return;
  const operator = operatorsOf(filter).find((each) => !engine.can.operators.has(each));
  if (operator === undefined) return;
  throw new ApiError(400, `filters: the engine '${engine.name}' of this vector store has no operator '${operator}'`, {
    param: "filters",
    code: "unsupported_operator",
  });
}

const operatorsOf = (filter: Filter): Filter["type"][] =>
  filter.type === "and" || filter.type === "or" ? [filter.type, ...filter.filters.flatMap(operatorsOf)] : [filter.type];
