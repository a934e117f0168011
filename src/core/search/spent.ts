/** Milliseconds of a request spent in the database and in models; the rest is the service's own time. */
export interface Spent {
  database: number;
  model: number;
}

/** Runs the work and adds its time to `spent`, even if it fails. */
export async function timed<T>(spent: Spent, what: keyof Spent, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } finally {
    spent[what] += performance.now() - begun;
  }
}
