import type { Counter } from "../../chunking/counters.js";
import { joinTexts, placeOf } from "../search/neighbours.js";
import type { FoundChunk } from "../../words/chunk.js";

/** A passage for the model: a chunk, or several neighbouring chunks of one document. */
export interface Passage {
  /** The best of its chunks, which gives the passage its place and score. */
  hit: FoundChunk;
  text: string;
  chunkIds: string[];
}

/** Tokens of a passage's number and name, in addition to its text. */
export const passageOverhead = 40;

/**
 * Chooses the passages that fit into a number of tokens, best first. Chunks are not cut. A chunk that repeats a better
 * one is left out. Neighbours in a document are joined, and text that both have at their border appears once. If not
 * even the best chunk fits, its beginning is used.
 */
export function choosePassages(found: readonly FoundChunk[], tokens: number, counter: Counter): Passage[] {
  const chosen: FoundChunk[] = [];
  const seen: string[] = [];
  let left = tokens;
  // A token has at least one byte, so bytes are an upper bound. Usually a few chunks easily fit a large window, and
  // counting their tokens would take half of the service's own time.
  const most = found.reduce((sum, { content }) => sum + Buffer.byteLength(content) + passageOverhead, 0);
  const allFit = most <= tokens;
  for (const hit of found) {
    const plain = hit.content.replace(/\s+/g, " ").trim();
    if (seen.some((each) => each.includes(plain))) continue;
    const cost = passageOverhead + (allFit ? 0 : tokensOf(hit.content, counter, left + 1));
    if (cost > left) continue;
    chosen.push(hit);
    seen.push(plain);
    left -= cost;
  }
  const [best] = found;
  if (chosen.length === 0 && best !== undefined && tokens > passageOverhead) {
    const { reach } = counter.measure(best.content, tokens - passageOverhead);
    return [{ hit: best, text: best.content.slice(0, reach), chunkIds: [best.id] }];
  }
  return joinAdjacent(chosen);
}

/** Tokens of a text, at most `most`. */
export function tokensOf(text: string, counter: Counter, most: number): number {
  const measured = counter.measure(text, most);
  return measured.reach < text.length ? most : measured.range(0, text.length);
}

/** Joins neighbouring chunks. A passage takes the rank of its best chunk. */
function joinAdjacent(found: readonly FoundChunk[]): Passage[] {
  const passages: { hit: FoundChunk; members: FoundChunk[] }[] = [];
  for (const hit of found) {
    const near = passages.filter(({ members }) => members.some((each) => areAdjacent(each, hit)));
    const [first, ...others] = near;
    if (first === undefined) passages.push({ hit, members: [hit] });
    else first.members.push(hit, ...others.flatMap(({ members }) => members));
    for (const other of others) passages.splice(passages.indexOf(other), 1);
  }
  return passages.map(({ hit, members }) => {
    const inOrder = members.toSorted((a, b) => indexOf(a) - indexOf(b));
    const text = inOrder.map((each) => each.content).reduce(joinTexts);
    return { hit, text, chunkIds: inOrder.map((each) => each.id) };
  });
}

function areAdjacent(a: FoundChunk, b: FoundChunk): boolean {
  const [one, other] = [placeOf(a.metadata), placeOf(b.metadata)];
  if (one === null || other === null || a.storeId !== b.storeId) return false;
  return one.key === other.key && one.document === other.document && Math.abs(one.index - other.index) === 1;
}

const indexOf = (hit: FoundChunk) => placeOf(hit.metadata)?.index ?? 0;
