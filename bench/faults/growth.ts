/** Whether something that is measured again and again grows. */

export interface Sample {
  /** Seconds since the beginning. */
  at: number;
  value: number;
}

export interface Growth {
  /** The lowest value in the first and in the last third after warm-up. */
  before: number;
  after: number;
  /** Units per hour along the line of least squares through the lowest values. */
  perHour: number;
}

export const leastSamples = 30;

/**
 * Garbage and caches come and go, so only the floor counts: the lowest value of each twentieth of the time.
 * @param warmup share of the samples to leave out
 * @throws Error for too few samples
 */
export function growthOf(samples: readonly Sample[], warmup = 0.25): Growth {
  if (samples.length < leastSamples) throw new Error(`${samples.length} samples show nothing`);
  const warm = samples.slice(Math.floor(samples.length * warmup));
  const size = Math.max(1, Math.floor(warm.length / 20));
  const floor: Sample[] = [];
  for (let at = 0; at + size <= warm.length; at += size) {
    floor.push(warm.slice(at, at + size).reduce((least, each) => (each.value < least.value ? each : least)));
  }
  const third = Math.floor(floor.length / 3);
  const lowest = (some: readonly Sample[]) => some.reduce((least, { value }) => Math.min(least, value), Infinity);
  return { before: lowest(floor.slice(0, third)), after: lowest(floor.slice(-third)), perHour: slope(floor) * 3600 };
}

/** Least squares. */
function slope(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const [at, value] = [mean((each) => each.at), mean((each) => each.value)];
  let [above, below] = [0, 0];
  for (const each of samples) {
    above += (each.at - at) * (each.value - value);
    below += (each.at - at) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
