/** One thing that a question should find. */
export interface Item {
  /** `name`: the id of a chunk, or the id or name of a file. `phrase`: part of a result's text. */
  kind: "name" | "phrase";
  text: string;
  /** How much it counts compared with the question's other items; above 0. */
  grade: number;
}

/** The parts of a result that are compared. */
export interface Result {
  id?: string | null | undefined;
  file_id?: string | null | undefined;
  filename?: string | null | undefined;
  text: string;
}

/** An item with the rank, from 1, of the first result that has it; null if none has. */
export interface Placed {
  item: Item;
  place: number | null;
}

/** How good the first results of a question are; each figure is from 0 to 1. */
export interface Evaluation {
  recall: number;
  reciprocalRank: number;
  ndcg: number;
  places: Placed[];
}

/** Compares the first `k` results of a question with its items (at least one). */
export function evaluate(items: readonly Item[], results: readonly Result[], k: number): Evaluation {
  const places = placeItems(items, results.slice(0, k));
  return { recall: recallOf(places), reciprocalRank: reciprocalRankOf(places), ndcg: ndcgOf(places, k), places };
}

/** Finds the first result of each item. */
export function placeItems(items: readonly Item[], results: readonly Result[]): Placed[] {
  const comparable = results.map(({ id, file_id, filename, text }) => ({
    names: [id, file_id, filename].map((name) => comparableName(name ?? "")),
    text: comparableText(text),
  }));
  return items.map((item) => {
    const name = comparableName(item.text);
    const phrase = comparableText(item.text);
    const index = comparable.findIndex((result) =>
      item.kind === "name" ? result.names.includes(name) : result.text.includes(phrase),
    );
    return { item, place: index < 0 ? null : index + 1 };
  });
}

/** The share of the items that were found. */
export function recallOf(places: readonly Placed[]): number {
  return places.filter(({ place }) => place !== null).length / places.length;
}

/** 1 / the rank of the first result with any item; 0 if there is none. Its mean over all questions is the MRR. */
export function reciprocalRankOf(places: readonly Placed[]): number {
  return places.reduce((best, { place }) => (place === null ? best : Math.max(best, 1 / place)), 0);
}

/**
 * Normalised discounted cumulative gain: the value of the items at their ranks, as a share of their value in the best
 * order.
 *
 * The textbook has one item per result. Here a result may have several (two phrases in a chunk). The sum of their
 * grades at one rank would exceed the best order, and cut off at 1 it would hide missing items. So each rank counts one
 * item: the one with the highest grade among those found there or before and not yet counted. Items that share a result
 * thus take its rank and the next free ones. With one item per result this is the textbook's figure. It is never above
 * 1, and finding an item earlier never lowers it.
 */
export function ndcgOf(places: readonly Placed[], k: number): number {
  const best = places.map(({ item }) => ({ item, place: 1 }));
  // Only rounding can make it exceed 1: the sums run in different orders.
  return Math.min(1, discountedGain(places, k) / discountedGain(best, k));
}

function discountedGain(places: readonly Placed[], k: number): number {
  const waiting: number[] = [];
  let sum = 0;
  for (let place = 1; place <= k; place += 1) {
    for (const each of places) if (each.place === place) waiting.push(each.item.grade);
    waiting.sort((a, b) => a - b);
    sum += (waiting.pop() ?? 0) / Math.log2(place + 1);
  }
  return sum;
}

/** The mean of at least one value. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The median of at least one value; of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return mean(sorted.slice(Math.floor(middle), Math.ceil(middle) + 1));
}

/** A file name as it is compared: in the composed form, since macOS stores the decomposed one. */
export function comparableName(name: string): string {
  return name.normalize("NFC");
}

/** Text as it is compared: in lower case, with one blank for each run of whitespace, since phrases may span lines. */
export function comparableText(text: string): string {
  return text.toLowerCase().normalize("NFC").replace(/\s+/g, " ").trim();
}
