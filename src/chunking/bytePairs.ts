/**
 * Takes a piece of text apart by byte pair encoding: of the pairs of neighbouring parts, at first its UTF-8 bytes, the one with the
 * lowest rank becomes one part, until no pair is a token. The tokenizer's own function looks for this pair among all of them each time
 * and for tokens by their bytes, which for Chinese takes several times as long; its tables are the same.
 * @param tokens by rank, as text, or as bytes where these are no text.
 * @returns a function to the bytes at which the piece's tokens begin, and its length in bytes.
 */
export function bytePairEncoder(tokens: readonly (string | readonly number[])[]): (piece: string) => number[] {
  const ranks = new Map<string, number>();
  // There are ranks without a token, which forEach passes over.
  tokens.forEach((token, rank) => {
    ranks.set(typeof token === "string" ? bytesOf(token) : String.fromCharCode(...token), rank);
  });

  return (piece) => {
    const bytes = bytesOf(piece);
    const { length } = bytes;
    if (ranks.has(bytes)) return [0, length];
    /** Of each part, at the byte where it begins: where the next and the one before begin. */
    const next: number[] = [];
    const before: number[] = [];
    /** The pairs that are tokens, as rank * length + place, and for each place the one that still stands. */
    const pairs: number[] = [];
    const standing: number[] = [];
    for (let at = 0; at < length; at += 1) {
      next.push(at + 1);
      before.push(at - 1);
      standing.push(-1);
    }
    const look = (at: number) => {
      const middle = next[at] ?? length;
      const rank = middle < length ? ranks.get(bytes.slice(at, next[middle])) : undefined;
      const pair = rank === undefined ? -1 : rank * length + at;
      standing[at] = pair;
      if (pair !== -1) push(pairs, pair);
    };
    for (let at = 0; at < length; at += 1) look(at);
    while (pairs.length > 0) {
      const pair = pop(pairs);
      const at = pair % length;
      if (standing[at] !== pair) continue;
      const middle = next[at] ?? length;
      const end = next[middle] ?? length;
      standing[middle] = -1;
      next[at] = end;
      before[end] = at;
      look(at);
      const first = before[at] ?? -1;
      if (first >= 0) look(first);
    }
    const starts = [0];
    for (let at = 0; at < length;) {
      at = next[at] ?? length;
      starts.push(at);
    }
    return starts;
  };
}

/** The UTF-8 bytes of a text, one a character. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/*
 * A heap: each value is at most those at twice its place and one or two more, so the first is the least.
 */

function push(heap: number[], value: number): void {
  let at = heap.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const other = heap[above] ?? 0;
    if (other <= value) break;
    heap[at] = other;
    at = above;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const [least = 0] = heap;
  const value = heap.pop() ?? 0;
  const { length } = heap;
  let at = 0;
  for (let below = 1; below < length; below = 2 * at + 1) {
    if ((heap[below + 1] ?? Infinity) < (heap[below] ?? 0)) below += 1;
    const other = heap[below] ?? 0;
    if (other >= value) break;
    heap[at] = other;
    at = below;
  }
  if (length > 0) heap[at] = value;
  return least;
}
