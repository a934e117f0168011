/** The truth that searches are checked against: the cosine of every query with every row, computed while the rows go by. */
export class BruteForce {
  readonly #scores: number[][];

  /** @param queries of length 1 */
  constructor(private readonly queries: readonly Float32Array[]) {
    this.#scores = queries.map(() => []);
  }

  /** @param vector of the next row, of length 1 */
  add(vector: Float32Array): void {
    this.queries.forEach((query, q) => this.#scores[q]?.push(dot(query, vector)));
  }

  /**
   * The share of the true `k` nearest rows that an answer has. A row as near as the true k-th counts, so that the order of
   * equals does not matter.
   * @param rows numbers of the rows answered, in the order of `add`
   */
  recall(query: number, rows: readonly number[], k: number): number {
    const scores = this.#scores[query] ?? [];
    const nearest = Float64Array.from(scores).sort().reverse().subarray(0, k);
    // The database computes in float32.
    const worst = (nearest.at(-1) ?? 0) - 1e-6;
    const right = new Set(rows.filter((row) => (scores[row] ?? -Infinity) >= worst));
    return Math.min(1, right.size / nearest.length);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
