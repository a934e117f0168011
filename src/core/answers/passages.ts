import type { Counter } from "../../chunking/counters.js";
import { joinTexts, placeOf } from "../search/neighbours.js";
import type { Hit } from "../search/searchStores.js";

/** A passage that the model is given: a chunk, or several next to each other in their document. */
export interface Passage {
  /** The best of its chunks, whose place and score the passage has. */
  hit: Hit;
  text: string;
  chunkIds: string[];
}

/** Tokens that a passage costs beside its text: its number and name. */
export const passageOverhead = 40;

/**
 * What of the hits fits into so many tokens, best first: whole chunks, those that repeat what is there already left out, and those that
 * are neighbours in their document joined to one passage, with what they share at their borders once. When not even the best chunk fits,
 * its beginning does.
 */
export function choosePassages(hits: readonly Hit[], tokens: number, counter: Counter): Passage[] {
  const chosen: Hit[] = [];
  const told: string[] = [];
  let left = tokens;
  // A token is a byte at least. Mostly a few chunks meet a large window, and to count them would be half of our own time for an answer.
  const most = hits.reduce((sum, { content }) => sum + Buffer.byteLength(content) + passageOverhead, 0);
  const allFit = most <= tokens;
  for (const hit of hits) {
    const plain = hit.content.replace(/\s+/g, " ").trim();
    if (told.some((each) => each.includes(plain))) continue;
    const cost = passageOverhead + (allFit ? 0 : tokensOf(hit.content, counter, left + 1));
    if (cost > left) continue;
    chosen.push(hit);
    told.push(plain);
    left -= cost;
  }
  const [best] = hits;
  if (chosen.length === 0 && best !== undefined && tokens > passageOverhead) {
    const { reach } = counter.measure(best.content, tokens - passageOverhead);
    return [{ hit: best, text: best.content.slice(0, reach), chunkIds: [best.id] }];
  }
  return joinAdjacent(chosen);
}

/** Tokens of a text; of one that is longer than anybody asks, `most` or more. */
export function tokensOf(text: string, counter: Counter, most: number): number {
  const measured = counter.measure(text, most);
  return measured.reach < text.length ? most : measured.range(0, text.length);
}

/** A passage has the place, among the others, of its best chunk. */
function joinAdjacent(hits: readonly Hit[]): Passage[] {
  const passages: { hit: Hit; members: Hit[] }[] = [];
  for (const hit of hits) {
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

function areAdjacent(a: Hit, b: Hit): boolean {
  const [one, other] = [placeOf(a.metadata), placeOf(b.metadata)];
  if (one === null || other === null || a.storeId !== b.storeId) return false;
  return one.key === other.key && one.document === other.document && Math.abs(one.index - other.index) === 1;
}

const indexOf = (hit: Hit) => placeOf(hit.metadata)?.index ?? 0;
