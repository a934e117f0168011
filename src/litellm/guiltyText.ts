import type { Outcome } from "./failures.js";

/** A text that every model reads. */
const harmless = "probe";

/**
 * After a request has failed as an outage would: whether the model answers at all, and if so, on which of the texts it
 * fails. At most one request more than halvings of the texts.
 * @returns the index of a text on which the model fails alone; null if it fails on the harmless text too, or on none
 */
export async function findGuilty(
  texts: readonly string[],
  ask: (texts: readonly string[]) => Promise<Outcome<unknown>>,
): Promise<number | null> {
  const works = async (some: readonly string[]) => "value" in (await ask(some));
  if (!(await works([harmless]))) return null;
  let [from, to] = [0, texts.length];
  while (to - from > 1) {
    const middle = Math.ceil((from + to) / 2);
    if (await works(texts.slice(from, middle))) from = middle;
    else to = middle;
  }
  return (await works(texts.slice(from, to))) ? null : from;
}
