import { invalid } from "../../words/errors.js";

/** A limit of lengths as people write it: 1e-15, 1e19. */
const shown = (limit: number) => limit.toExponential().replace("+", "");

/** Whether a vector has its store's dimensions and a direction. @throws ApiError 400 naming `path` */
export function checkVector(
  vector: Float32Array,
  { dimensions, min, max }: { dimensions: number; min: number; max: number },
  path: string,
): void {
  if (vector.length !== dimensions) throw invalid(path, `expected ${dimensions} numbers, got ${vector.length}`);
  let square = 0;
  for (const value of vector) square += value * value;
  if (square >= min ** 2 && square <= max ** 2) return;
  const problem =
    square === 0
      ? "all numbers are zero; such a vector has no direction and"
      : `too ${square > 1 ? "large" : "small"}: a vector of the length ${Math.sqrt(square).toPrecision(2)} is outside ${shown(min)}…${shown(max)} and`;
  throw invalid(path, `${problem} can never be found by cosine`);
}
