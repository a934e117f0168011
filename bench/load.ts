/** The result of a number of clients, each sending its next request when its last one was answered. */
export interface Measured {
  clients: number;
  requests: number;
  /** Requests per second. */
  rate: number;
  /** Milliseconds per request. */
  p50: number;
  p95: number;
  p99: number;
}

/**
 * Every client works for `seconds`, and makes at least one request; requests started in time are finished and counted,
 * with their time.
 */
export async function measure(
  clients: number,
  seconds: number,
  work: (client: number, turn: number) => Promise<unknown>,
): Promise<Measured> {
  const times: number[] = [];
  const start = performance.now();
  const deadline = start + seconds * 1000;
  const run = async (client: number) => {
    let turn = 0;
    do {
      const begun = performance.now();
      await work(client, turn);
      times.push(performance.now() - begun);
      turn += 1;
    } while (performance.now() < deadline);
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => run(client)));
  const elapsed = (performance.now() - start) / 1000;
  return { clients, requests: times.length, rate: times.length / elapsed, ...percentiles(times) };
}

/** Nearest rank. */
export function percentiles(times: readonly number[]): Pick<Measured, "p50" | "p95" | "p99"> {
  const ordered = Float64Array.from(times).sort();
  const at = (share: number) => ordered[Math.max(0, Math.ceil(ordered.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * The largest value of `read` while `work` runs, and the ratio of the largest value in the second half of the time to
 * that in the first half.
 */
export async function peakDuring<T>(
  read: () => number,
  work: () => Promise<T>,
): Promise<{ result: T; peak: number; growth: number }> {
  const samples = [read()];
  const timer = setInterval(() => {
    samples.push(read());
  }, 100);
  try {
    const result = await work();
    samples.push(read());
    const half = Math.ceil(samples.length / 2);
    const most = (list: readonly number[]) => list.reduce((a, b) => Math.max(a, b), 0);
    return { result, peak: most(samples), growth: most(samples.slice(half)) / most(samples.slice(0, half)) };
  } finally {
    clearInterval(timer);
  }
}

export const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
