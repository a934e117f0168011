/** The truth that searches are checked against: the cosine of every query with every row, computed while the rows go by. */
export class BruteForce {
  readonly #scores: Float32Array[];

  /** @param queries of length 1 @param rows how many there will be */
  constructor(
    private readonly queries: readonly Float32Array[],
    rows: number,
  ) {
    this.#scores = queries.map(() => new Float32Array(rows).fill(-Infinity));
  }

  /** @param vector of row `n`, of length 1 */
  add(n: number, vector: Float32Array): void {
    this.queries.forEach((query, q) => {
      const scores = this.#scores[q];
      if (scores !== undefined) scores[n] = dot(query, vector);
    });
  }

  /**
   * The share of the true `k` nearest rows that an answer has; of all that match, where fewer match. A row as near as the true k-th
   * counts, so that the order of equals does not matter.
   * @param rows numbers of the rows answered
   * @param matches whether a row passes the search's filter
   */
  recall(query: number, rows: readonly number[], k: number, matches: (row: number) => boolean = () => true): number {
    const scores = this.#scores[query] ?? new Float32Array();
    const nearest = scores
      .filter((_, n) => matches(n))
      .sort()
      .reverse()
      .subarray(0, k);
    if (nearest.length === 0) return 1;
    // Databases sum up in another order.
    const worst = (nearest.at(-1) ?? 0) - 1e-6;
    const right = new Set(rows.filter((row) => matches(row) && (scores[row] ?? -Infinity) >= worst));
    return Math.min(1, right.size / nearest.length);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
