/** What a number of clients achieved, each sending its next request when its last was answered. */
export interface Measured {
  clients: number;
  requests: number;
  /** Requests a second. */
  rate: number;
  /** Milliseconds a request. */
  p50: number;
  p95: number;
  p99: number;
}

/** Every client works for `seconds`, and at least once; requests begun in time are finished and count, with their time. */
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
  times.sort((a, b) => a - b);
  return { clients, requests: times.length, rate: times.length / elapsed, ...percentiles(times) };
}

/** Nearest rank, of times in order. */
function percentiles(times: readonly number[]): Pick<Measured, "p50" | "p95" | "p99"> {
  const at = (share: number) => times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The largest value of `read` while `work` runs. */
export async function peakDuring<T>(read: () => number, work: () => Promise<T>): Promise<{ result: T; peak: number }> {
  let peak = read();
  const timer = setInterval(() => {
    peak = Math.max(peak, read());
  }, 100);
  try {
    return { result: await work(), peak: Math.max(peak, read()) };
  } finally {
    clearInterval(timer);
  }
}
