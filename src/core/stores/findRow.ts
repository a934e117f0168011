import type { Engine } from "../../engines/engine.js";
import type { Chunk } from "../../words/chunk.js";
import type { VectorStore } from "../../words/store.js";

/**
 * A row of a store by the id that a caller gives; undefined if the store has none, or hides it with its file.
 * @param options.embeddings whether the row comes with its vector
 */
export async function findRow(
  engine: Engine,
  store: VectorStore,
  id: string,
  { embeddings, signal }: { embeddings: boolean; signal: AbortSignal },
): Promise<Chunk | undefined> {
  const own = engine.ids.read(id);
  if (own === null) return undefined;
  const page = { limit: 1, order: "asc", after: null, before: null, embeddings } as const;
  return (await engine.page(store, { ids: [own] }, page, { signal })).chunks[0];
}
