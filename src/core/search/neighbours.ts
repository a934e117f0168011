import type { ChunkPlace, FoundChunk } from "../../words/chunk.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";

/** Metadata keys that may name a chunk's document, the most reliable first. */
const documentKeys = ["file_id", "filename", "file_name", "source"];

/**
 * Extends each result with the chunks before and after it in its document: those whose metadata names the same document
 * and has an adjacent `chunk_index`. Text that two chunks share at their border appears once. Results whose metadata
 * gives no place stay as they are.
 * @param distance how many chunks on each side
 */
export async function joinNeighbours(
  { engine }: Pick<Deps, "engine">,
  store: VectorStore,
  found: readonly FoundChunk[],
  { distance, signal }: { distance: number; signal: AbortSignal },
): Promise<FoundChunk[]> {
  const around = (place: ChunkPlace) =>
    Array.from({ length: 2 * distance + 1 }, (_, i) => ({ ...place, index: place.index + i - distance })).filter(
      (each) => each.index >= 0 && each.index !== place.index,
    );
  const wanted = found.flatMap((chunk) => {
    const place = placeOf(chunk.metadata);
    return place === null ? [] : around(place);
  });
  if (wanted.length === 0) return [...found];
  const contents = new Map<string, string>();
  for (const each of await engine.places(store, wanted, { signal })) {
    if (!contents.has(keyOf(each))) contents.set(keyOf(each), each.content);
  }
  return found.map((chunk) => {
    const place = placeOf(chunk.metadata);
    return place === null ? chunk : { ...chunk, content: withNeighbours(chunk.content, place, distance, contents) };
  });
}

function withNeighbours(
  text: string,
  place: ChunkPlace,
  distance: number,
  contents: ReadonlyMap<string, string>,
): string {
  let content = text;
  for (const step of [-1, 1]) {
    for (let i = 1; i <= distance; i += 1) {
      const next = contents.get(keyOf({ ...place, index: place.index + step * i }));
      if (next === undefined) break;
      content = step < 0 ? joinTexts(next, content) : joinTexts(content, next);
    }
  }
  return content;
}

const keyOf = (place: ChunkPlace) => JSON.stringify([place.key, place.document, place.index]);

/** A chunk's place in its document, from its metadata; null if the metadata does not say. */
export function placeOf(metadata: unknown): ChunkPlace | null {
  if (typeof metadata !== "object" || metadata === null) return null;
  const values = metadata as Record<string, unknown>;
  const key = documentKeys.find((each) => typeof values[each] === "string");
  const document = key === undefined ? undefined : values[key];
  const index = values.chunk_index;
  if (key === undefined || typeof document !== "string" || !Number.isSafeInteger(index)) return null;
  return { key, document, index: index as number };
}

/** Shorter overlaps count as coincidence. */
const shortestOverlap = 8;
/** Chunks rarely overlap by more characters: OpenAI's default overlap of 400 tokens is some 1,600. */
const longestOverlap = 4000;

/** Joins two neighbouring texts. Text that ends the first and begins the second appears once. */
export function joinTexts(first: string, second: string): string {
  for (let length = Math.min(first.length, second.length, longestOverlap); length >= shortestOverlap; length -= 1) {
    if (first.endsWith(second.slice(0, length))) return first + second.slice(length);
  }
  return `${first}\n${second}`;
}
