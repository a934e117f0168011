import { normalized } from "../../numbers/float32.js";

/** A chunk to choose from: its score and its embedding. */
export interface Candidate {
  /** 0…1. */
  score: number;
  /** Null counts as unlike all others. */
  embedding: Float32Array | null;
}

/**
 * Maximal marginal relevance (Carbonell, Goldstein 1998). Each step picks the candidate with the highest value of
 *
 *  (1 − diversity) × score − diversity × similarity
 *
 * where the similarity is that to the most similar candidate already picked, in 0…1 like the score.
 * @param candidates best first
 * @param diversity 0 (order of scores) to 1 (only dissimilarity counts)
 * @returns at most `limit` of them, in the order of picking.
 */
export function diversify<T extends Candidate>(candidates: readonly T[], limit: number, diversity: number): T[] {
  const units = new Map(candidates.map((each) => [each, each.embedding === null ? null : normalized(each.embedding)]));
  const closest = new Map<T, number>();
  const left = new Set(candidates);
  const picked: T[] = [];
  while (picked.length < limit && left.size > 0) {
    let best: T | null = null;
    let bestWorth = -Infinity;
    for (const each of left) {
      const worth = (1 - diversity) * each.score - diversity * (closest.get(each) ?? 0);
      // Strictly greater: of equal candidates, the better ranked one comes first.
      if (worth > bestWorth) [best, bestWorth] = [each, worth];
    }
    if (best === null) break;
    picked.push(best);
    left.delete(best);
    for (const each of left) {
      const similarity = similarityOf(units.get(each) ?? null, units.get(best) ?? null);
      closest.set(each, Math.max(closest.get(each) ?? 0, similarity));
    }
  }
  return picked;
}

/** Cosine similarity mapped to 0…1, like scores; 1: the same direction. Assumes unit vectors. */
function similarityOf(a: Float32Array | null, b: Float32Array | null): number {
  if (a?.length !== b?.length || a === null || b === null) return 0;
  let product = 0;
  for (let i = 0; i < a.length; i += 1) product += (a[i] ?? 0) * (b[i] ?? 0);
  return Math.min(1, Math.max(0, (1 + product) / 2));
}
