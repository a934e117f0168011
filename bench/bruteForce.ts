/** The true nearest rows: the cosine of every query with every row, computed while the rows are generated. */
export class BruteForce {
  readonly #scores: Float32Array[];

  /** @param queries unit vectors @param rows how many rows will be added */
  constructor(
    private readonly queries: readonly Float32Array[],
    rows: number,
  ) {
    this.#scores = queries.map(() => new Float32Array(rows).fill(-Infinity));
  }

  /** @param vector of row `n`, a unit vector */
  add(n: number, vector: Float32Array): void {
    this.queries.forEach((query, q) => {
      const scores = this.#scores[q];
      if (scores !== undefined) scores[n] = dot(query, vector);
    });
  }

  /**
   * The share of the true `k` nearest rows that an answer contains; if fewer rows match, of all matches. A row as near
   * as the true k-th counts, so the order of equally near rows does not matter.
   * @param rows the numbers of the rows in the answer
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
    // Databases add in a different order.
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
