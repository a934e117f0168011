import { isDeepStrictEqual } from "node:util";
import type { IdType } from "../../db/schema/layout.js";
import { canHold } from "../../db/tables/stores.js";
import { invalid } from "../../words/errors.js";
import type { EmbeddingInput } from "./chunks.js";

/** A field of a row; the row of a single insertion is the body itself and has no path. */
export const field = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

/** The row with its id as the database writes it: a uuid in capitals is the same uuid. @throws ApiError 400 */
export function checkRow(
  row: EmbeddingInput,
  path: string,
  { dimensions, idType }: { dimensions: number; idType: IdType },
): EmbeddingInput {
  if (row.embedding !== null) checkVector(row.embedding, dimensions, field(path, "embedding"));
  if (row.id === null) return row;
  if (!canHold(idType, row.id)) {
    throw invalid(field(path, "id"), `the id column of this database holds ${idType} values, and this is none`);
  }
  if (idType === "text") return row;
  return { ...row, id: idType === "uuid" ? row.id.toLowerCase() : BigInt(row.id).toString() };
}

/** Squared lengths between which pgvector, which sums products in float32, can compute a cosine in 16,000 dimensions. */
const squaredLengths = { min: 1e-30, max: 1e38 };

function checkVector(vector: Float32Array, dimensions: number, path: string): void {
  if (vector.length !== dimensions) throw invalid(path, `expected ${dimensions} numbers, got ${vector.length}`);
  let square = 0;
  for (const value of vector) square += value * value;
  if (square >= squaredLengths.min && square <= squaredLengths.max) return;
  const problem =
    square === 0
      ? "all numbers are zero; such a vector has no direction and"
      : `too ${square > 1 ? "large" : "small"}: a vector of the length ${Math.sqrt(square).toPrecision(2)} is outside 1e-15…1e19 and`;
  throw invalid(path, `${problem} can never be found by cosine`);
}

/** The first row of each given id. @throws ApiError 400 when an id is repeated with other content. */
export function uniqueRows(rows: readonly EmbeddingInput[], at: (row: number) => string): Map<string, number> {
  const first = new Map<string, number>();
  const comparable = (row: EmbeddingInput | undefined) => ({ ...row, metadata: row?.metadata ?? {} });
  rows.forEach((row, i) => {
    if (row.id === null) return;
    const earlier = first.get(row.id);
    if (earlier === undefined) {
      first.set(row.id, i);
    } else if (!isDeepStrictEqual(comparable(row), comparable(rows[earlier]))) {
      throw invalid(field(at(i), "id"), `repeats the id of ${at(earlier)} with other content`);
    }
  });
  return first;
}
