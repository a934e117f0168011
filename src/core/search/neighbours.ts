import type { VectorStore } from "../../db/tables/stores.js";
import { type Place, findPlaces } from "../../engines/pgvector/neighbours.js";
import type { Deps } from "../deps.js";

/** Metadata keys that may name a chunk's document, the surest first. */
const documentKeys = ["file_id", "filename", "file_name", "source"];

/**
 * Joins to each result the chunks before and after it in its document: those whose metadata names the same document and has the
 * `chunk_index` next to its own. What two chunks share at their border stands once. Results without a place stay as they are.
 */
export async function joinNeighbours<T extends { content: string; metadata: unknown }>(
  deps: Deps,
  store: Pick<VectorStore, "id" | "vectorsIndexed">,
  hits: readonly T[],
  distance: number,
): Promise<T[]> {
  const around = (place: Place) =>
    Array.from({ length: 2 * distance + 1 }, (_, i) => ({ ...place, index: place.index + i - distance })).filter(
      (each) => each.index >= 0 && each.index !== place.index,
    );
  const wanted = hits.flatMap((hit) => {
    const place = placeOf(hit.metadata);
    return place === null ? [] : around(place);
  });
  if (wanted.length === 0) return [...hits];
  const contents = new Map<string, string>();
  for (const each of await findPlaces(deps.db, store.id, wanted, store.vectorsIndexed)) {
    if (!contents.has(name(each))) contents.set(name(each), each.content);
  }
  return hits.map((hit) => {
    const place = placeOf(hit.metadata);
    if (place === null) return hit;
    let content = hit.content;
    for (const step of [-1, 1]) {
      for (let i = 1; i <= distance; i += 1) {
        const next = contents.get(name({ ...place, index: place.index + step * i }));
        if (next === undefined) break;
        content = step < 0 ? joinTexts(next, content) : joinTexts(content, next);
      }
    }
    return { ...hit, content };
  });
}

const name = (place: Place) => JSON.stringify([place.key, place.document, place.index]);

/** Where a chunk stands in its document, by its metadata; null when that does not say. */
export function placeOf(metadata: unknown): Place | null {
  if (typeof metadata !== "object" || metadata === null) return null;
  const values = metadata as Record<string, unknown>;
  const key = documentKeys.find((each) => typeof values[each] === "string");
  const document = key === undefined ? undefined : values[key];
  const index = values.chunk_index;
  if (key === undefined || typeof document !== "string" || !Number.isSafeInteger(index)) return null;
  return { key, document, index: index as number };
}

/** Borders shorter than this are taken for chance. */
const shortestOverlap = 8;
/** Chunks rarely share more than this at their border (800 tokens' overlap of OpenAI's default are some 3,200 characters). */
const longestOverlap = 4000;

/** Two neighbouring texts as one; what ends the first and begins the second stands once. */
export function joinTexts(first: string, second: string): string {
  for (let length = Math.min(first.length, second.length, longestOverlap); length >= shortestOverlap; length -= 1) {
    if (first.endsWith(second.slice(0, length))) return first + second.slice(length);
  }
  return `${first}\n${second}`;
}
