import { normalized } from "../../../src/numbers/float32.js";
import type { FoundChunk } from "../../../src/words/chunk.js";
import type { Filter } from "../../../src/words/filter.js";
import { type Row, objectOf, passes } from "./shelf.js";

function found(storeId: string, scored: { id: string; row: Row; score: number }[]): (FoundChunk & { place: number })[] {
  return scored
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .map(({ id, row, score }, i) => {
      const { content } = row;
      return {
        id,
        storeId,
        content,
        metadata: objectOf(row),
        score,
        vectorRank: null,
        keywordRank: null,
        place: i + 1,
      };
    });
}

export function nearest(
  storeId: string,
  rows: readonly [string, Row][],
  embedding: Float32Array,
  filter: Filter | null,
): FoundChunk[] {
  const unit = normalized(embedding);
  const scored = rows
    .filter(([, row]) => passes(row, filter))
    .map(([id, row]) => {
      const cosine = normalized(row.vector).reduce((sum, each, i) => sum + each * (unit[i] ?? 0), 0);
      return { id, row, score: Math.min(1, Math.max(0, (1 + cosine) / 2)) };
    });
  return found(storeId, scored).map(({ place, ...chunk }) => ({ ...chunk, vectorRank: place }));
}

export function matching(
  storeId: string,
  rows: readonly [string, Row][],
  text: string,
  filter: Filter | null,
): FoundChunk[] {
  const wordsOf = (given: string) => new Set(given.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  const asked = wordsOf(text);
  const scored = rows
    .filter(([, row]) => passes(row, filter))
    .map(([id, row]) => {
      const has = wordsOf(row.content);
      return { id, row, score: [...asked].filter((word) => has.has(word)).length / Math.max(1, asked.size) };
    })
    .filter(({ score }) => score > 0);
  return found(storeId, scored).map(({ place, ...chunk }) => ({ ...chunk, keywordRank: place }));
}
