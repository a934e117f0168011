/** An id's ranks in the two lists of a hybrid search, from 1, and its combined score. */
export interface Fused {
  id: string;
  /** 0…1; 1: first in every list with a weight. */
  score: number;
  /** Null: not in that list. */
  vectorRank: number | null;
  keywordRank: number | null;
}

/**
 * The usual constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): the larger, the less the first ranks
 * differ.
 */
const k = 60;

/**
 * Reciprocal rank fusion: each list gives weight / (60 + rank). The sum is divided by what rank 1 in both lists would
 * get.
 * @param lists ids, best first
 * @returns best first; equal scores in the order of ids.
 */
export function fuse(
  lists: { vector: readonly string[]; keyword: readonly string[] },
  weights: { vector: number; keyword: number },
): Fused[] {
  const ranks = new Map<string, Pick<Fused, "vectorRank" | "keywordRank">>();
  const at = (id: string) => {
    const known = ranks.get(id) ?? { vectorRank: null, keywordRank: null };
    ranks.set(id, known);
    return known;
  };
  lists.vector.forEach((id, i) => (at(id).vectorRank ??= i + 1));
  lists.keyword.forEach((id, i) => (at(id).keywordRank ??= i + 1));
  // Divide weights by their sum first: the smallest double, divided by 61, would be 0 and all scores NaN.
  const all = weights.vector + weights.keyword;
  const share = (weight: number, rank: number | null) => (rank === null ? 0 : ((weight / all) * (k + 1)) / (k + rank));
  return [...ranks]
    .map(([id, { vectorRank, keywordRank }]) => ({
      id,
      // Rounding may lift the sum above 1.
      score: Math.min(1, share(weights.vector, vectorRank) + share(weights.keyword, keywordRank)),
      vectorRank,
      keywordRank,
    }))
    .filter((each) => each.score > 0)
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
