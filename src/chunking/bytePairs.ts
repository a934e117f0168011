/**
 * Splits a piece of text into tokens by byte pair encoding: starting from UTF-8 bytes, it joins the neighbouring pair
 * with the lowest rank until no pair is a token. It uses the tables of gpt-tokenizer but not its function, which
 * searches all pairs at each step and looks tokens up by bytes: several times slower for Chinese.
 * @param tokens by rank, as text, or as bytes if these are not valid text
 * @returns a function that gives the byte offset of each token, and last the length in bytes
 */
export function bytePairEncoder(tokens: readonly (string | readonly number[])[]): (piece: string) => number[] {
  const ranks = new Map<string, number>();
  // Some ranks have no token; forEach skips the holes.
  tokens.forEach((token, rank) => {
    ranks.set(typeof token === "string" ? bytesOf(token) : String.fromCharCode(...token), rank);
  });

  return (piece) => {
    const bytes = bytesOf(piece);
    const { length } = bytes;
    if (ranks.has(bytes)) return [0, length];
    /** For each part, by its first byte: the first byte of the next part and of the one before. */
    const next: number[] = [];
    const before: number[] = [];
    /**
     * A heap of the pairs that are tokens, as rank * length + position; and for each position the pair that is still
     * valid.
     */
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

/** The UTF-8 bytes of a text, one per character. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/*
 * A binary heap in an array: each value is at most those at 2i + 1 and 2i + 2, so the first is the least.
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
