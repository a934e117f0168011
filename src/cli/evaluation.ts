/** One thing that a question is to find. */
export interface Item {
  /** `name`: the id of a chunk, or the id or name of a file. `phrase`: words of a result's text. */
  kind: "name" | "phrase";
  text: string;
  /** How much it is worth beside the question's other items; above 0. */
  grade: number;
}

/** What is compared of a result. */
export interface Result {
  id?: string | null | undefined;
  file_id?: string | null | undefined;
  filename?: string | null | undefined;
  text: string;
}

/** An item with the place, from 1, of the first result that has it; null where none has. */
export interface Placed {
  item: Item;
  place: number | null;
}

/** How good the first results of one question are; each figure in 0…1. */
export interface Evaluation {
  recall: number;
  reciprocalRank: number;
  ndcg: number;
  places: Placed[];
}

/** Compares the first `k` results of a question with its items, of which there is at least one. */
export function evaluate(items: readonly Item[], results: readonly Result[], k: number): Evaluation {
  const places = placeItems(items, results.slice(0, k));
  return { recall: recallOf(places), reciprocalRank: reciprocalRankOf(places), ndcg: ndcgOf(places, k), places };
}

/** An item that several results have is found once, by the first of them. */
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

/** 1 / the place of the first result that has any item, 0 if none has. Its mean over the questions is the MRR. */
export function reciprocalRankOf(places: readonly Placed[]): number {
  return places.reduce((best, { place }) => (place === null ? best : Math.max(best, 1 / place)), 0);
}

/**
 * Normalised discounted cumulative gain: what the items are worth at the places where they were found, as a share of what they are
 * worth in the best order; 1 is the best order.
 *
 * The textbook knows one item a result. Here one result may have several (two phrases in a chunk), and the sum of their grades at
 * one place would exceed the best order; cut off at 1 it would hide what is missing. So a place counts for one item: of those found
 * there or before and not counted yet, the one with the highest grade. Items that share a result thus take its place and the next
 * ones that are free, which is the best that can be made of them. With one item a result it is the textbook's figure; it is never
 * above 1, and an item that is found earlier never lowers it.
 */
export function ndcgOf(places: readonly Placed[], k: number): number {
  const best = places.map(({ item }) => ({ item, place: 1 }));
  // It exceeds 1 by nothing but the rounding of sums in another order.
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

/** The middle one of at least one value; of an even number, halfway between the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return mean(sorted.slice(Math.floor(middle), Math.ceil(middle) + 1));
}

/** A file's name may have been typed in the composed form and stored in the decomposed one, as macOS does. */
export function comparableName(name: string): string {
  return name.normalize("NFC");
}

/** In small letters, with one blank for every run of whitespace: a phrase may go over the end of a line. */
export function comparableText(text: string): string {
  return text.toLowerCase().normalize("NFC").replace(/\s+/g, " ").trim();
}
