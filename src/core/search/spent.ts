/** Milliseconds of a request that the database and the models took; the rest is the service's own. */
export interface Spent {
  database: number;
  model: number;
}

/** Runs the work and adds its time to what was spent, also when it fails. */
export async function time<T>(spent: Spent, what: keyof Spent, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } finally {
    spent[what] += performance.now() - begun;
  }
}
