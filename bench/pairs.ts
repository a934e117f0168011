import { type Measured, percentiles } from "./load.js";

/** Two things that were measured together. */
export interface Pair {
  first: Measured;
  second: Measured;
}

/**
 * One client does two things by turns, so that whatever else the machine does slows both. Which is first changes, too.
 * @param pace seconds for both together
 */
export async function alternate(
  pace: { seconds: number; warmup: number },
  first: (turn: number) => Promise<unknown>,
  second: (turn: number) => Promise<unknown>,
): Promise<Pair> {
  const times: [number[], number[]] = [[], []];
  const timed = async (of: 0 | 1, turn: number) => {
    const begun = performance.now();
    await (of === 0 ? first : second)(turn);
    times[of].push(performance.now() - begun);
  };
  const run = async (seconds: number) => {
    const end = performance.now() + seconds * 1000;
    for (let turn = 0; performance.now() < end; turn += 1) {
      await timed(turn % 2 === 0 ? 0 : 1, turn);
      await timed(turn % 2 === 0 ? 1 : 0, turn);
    }
  };
  await run(pace.warmup);
  times[0].length = times[1].length = 0;
  await run(pace.seconds);
  return { first: summary(times[0]), second: summary(times[1]) };
}

function summary(times: readonly number[]): Measured {
  const rate = (1000 * times.length) / times.reduce((sum, each) => sum + each, 0);
  return { clients: 1, requests: times.length, rate, ...percentiles(times) };
}

/** Two measurements one after the other, as often as `rounds` says. @returns the pair with the median ratio of rates */
export async function inTurn(
  rounds: number,
  first: () => Promise<Measured>,
  second: () => Promise<Measured>,
): Promise<Pair> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Whoever is first has the colder machine, so each is first as often as the other.
    const [a, b] = round % 2 === 0 ? [first, second] : [second, first];
    const [one, two] = [await a(), await b()];
    pairs.push(round % 2 === 0 ? { first: one, second: two } : { first: two, second: one });
  }
  const ratio = ({ first: one, second: two }: Pair) => two.rate / one.rate;
  const median = pairs.sort((a, b) => ratio(a) - ratio(b))[Math.floor(rounds / 2)];
  if (median === undefined) throw new Error("nothing was measured");
  return median;
}
