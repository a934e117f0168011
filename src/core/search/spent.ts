/** Milliseconds of a request that were the database's and the models'; the rest is our own. */
export interface Spent {
  database: number;
  model: number;
}

/** Runs the work and adds its time to what was spent; of a failure, too. */
export async function time<T>(spent: Spent, what: keyof Spent, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } finally {
    spent[what] += performance.now() - begun;
  }
}
