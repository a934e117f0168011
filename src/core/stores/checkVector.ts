import { directionProblem } from "../../numbers/float32.js";
import { invalid } from "../../words/errors.js";

/** Whether a vector has its store's dimensions and a direction. @throws ApiError 400 naming `path` */
export function checkVector(
  vector: Float32Array,
  { dimensions, ...lengths }: { dimensions: number; min: number; max: number },
  path: string,
): void {
  if (vector.length !== dimensions) throw invalid(path, `expected ${dimensions} numbers, got ${vector.length}`);
  const problem = directionProblem(vector, lengths);
  if (problem !== null) throw invalid(path, problem);
}
