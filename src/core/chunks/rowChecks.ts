import { isDeepStrictEqual } from "node:util";
import type { Engine } from "../../engines/engine.js";
import { invalid } from "../../words/errors.js";
import { checkVector } from "../stores/checkVector.js";

/** One row of an insertion. Without an embedding, the store's model embeds its content; without an id, it gets one. */
export interface EmbeddingInput {
  id: string | null;
  content: string;
  metadata: Record<string, unknown> | null;
  embedding: Float32Array | null;
  /** The model that made the embedding, if the sender says so. */
  model: string | null;
}

/** The path of a row's field, for messages. A single row is the body itself and has the path "". */
export const field = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** Checks a row. @returns the row with its id in the engine's form. @throws ApiError 400 naming the field */
export function checkRow(
  row: EmbeddingInput,
  path: string,
  { dimensions, engine }: { dimensions: number; engine: Pick<Engine, "can" | "ids"> },
): EmbeddingInput {
  const { can, ids } = engine;
  if (row.embedding !== null) checkVector(row.embedding, { dimensions, ...can.lengths }, field(path, "embedding"));
  if (row.id === null) return row;
  const id = ids.read(row.id);
  if (id === null) throw invalid(field(path, "id"), `ids here are ${ids.type} values, and this is not one`);
  return { ...row, id };
}

/** The index of the first row of each given id. @throws ApiError 400 if an id is repeated with other content */
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
