import { findTwin } from "../../db/tables/twins.js";
import type { StoreFile } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { modelInUse } from "../stores/model.js";
import type { Piece } from "./plan.js";

/**
 * A file whose chunks another name or other attributes keep from being shared has chunks of its own. What is embedded
 * depends on neither, so their vectors are copied from a complete file with the same content and settings.
 */

/** The file whose vectors are copied, and how its text was cut. */
export type Twin = Pick<StoreFile, "chunkBase"> & { plan: NonNullable<StoreFile["plan"]> };

/**
 * @param madeBy the version of reading and chunking that must have made the twin's chunks
 * @returns null if there is no such file
 */
export async function twinOf(deps: Deps, store: VectorStore, file: StoreFile, madeBy: number): Promise<Twin | null> {
  const found = await findTwin(deps.db, file, madeBy);
  return found?.plan?.model === modelInUse(deps, store) ? { chunkBase: found.chunkBase, plan: found.plan } : null;
}

/** The twin's vectors for those of these pieces whose text it has under the same number. @param first their number */
export async function copyVectors(
  deps: Deps,
  store: VectorStore,
  { chunkBase }: Twin,
  pieces: readonly Piece[],
  first: number,
  signal: AbortSignal,
): Promise<Map<Piece, Float32Array>> {
  const ids = pieces.map((_, i) => deps.engine.ids.ofFile(chunkBase, first + i));
  const wanted = ids.filter((id) => id !== null);
  const known = await deps.engine.read(store, wanted, { embeddings: true }, { signal });
  const chunkOf = new Map(known.map((chunk) => [chunk.id, chunk]));
  const copied = new Map<Piece, Float32Array>();
  pieces.forEach((piece, i) => {
    const chunk = chunkOf.get(ids[i] ?? "");
    if (chunk?.embedding != null && chunk.content === piece.text) copied.set(piece, chunk.embedding);
  });
  return copied;
}
