/** Seeded data: the same rows in every run and on every machine. */

export const dimensions = 1536;
const contentCharacters = 500;

/** mulberry32: small, fast, and good enough to make test data. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Row {
  content: string;
  metadata: { topic: number; source: string };
  vector: Float32Array;
}

/** Rows as a model would make them: dense vectors of length 1 around a hundred centres. */
export function denseRows(count: number): Row[] {
  const random = seededRandom(1);
  const words = createTexts();
  const centres = Array.from({ length: 100 }, () => gaussian(random));
  return Array.from({ length: count }, (_, n) => {
    const topic = n % centres.length;
    const noise = gaussian(random);
    const vector = unit(noise.map((each, i) => (centres[topic]?.[i] ?? 0) + 0.7 * each));
    return { content: words.content(topic), metadata: metadataOf(topic), vector };
  });
}

export const metadataOf = (topic: number) => ({ topic, source: `document-${topic}.txt` });

/** Box–Muller. */
function gaussian(random: () => number): Float32Array {
  return Float32Array.from(
    { length: dimensions },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, each) => sum + each * each, 0));
  return vector.map((each) => each / length);
}

export const topics = 500;

/**
 * Texts of invented words. Every topic has words of its own and shares the common ones with all, so that texts of one topic lie
 * close for the built-in embedder, and near neighbours differ in distance.
 */
export function createTexts(): { content: (topic: number) => string; query: (topic: number) => string } {
  const random = seededRandom(2);
  const word = () => {
    const syllable = () => `${pick("bdfgklmnprstvz")}${pick("aeiou")}`;
    return Array.from({ length: 2 + Math.floor(random() * 3) }, syllable).join("");
  };
  const pick = (letters: string) => letters.charAt(Math.floor(random() * letters.length));
  const vocabulary = (size: number) => Array.from({ length: size }, word);
  const common = vocabulary(2000);
  const own = Array.from({ length: topics }, () => vocabulary(60));
  // Squared: a few words are frequent and most are rare, as in real text.
  const from = (list: readonly string[]) => list[Math.floor(random() ** 2 * list.length)] ?? "";
  const next = (topic: number) => from(random() < 0.6 ? (own[topic % topics] ?? common) : common);
  return {
    content: (topic) => {
      let text = next(topic);
      while (text.length < contentCharacters) text += ` ${next(topic)}`;
      return text;
    },
    query: (topic) => Array.from({ length: 8 }, () => next(topic)).join(" "),
  };
}

export type Encoding = "numbers" | "base64";

/** A row as the API takes it. */
export function wireRow(row: Row & { id?: string }, encoding: Encoding): string {
  const { content, metadata, vector } = row;
  const embedding = encoding === "numbers" ? Array.from(vector) : Buffer.from(vector.buffer).toString("base64");
  return JSON.stringify({ ...(row.id === undefined ? {} : { id: row.id }), content, metadata, embedding });
}

export function wireBatch(rows: readonly (Row & { id?: string })[], encoding: Encoding): Buffer {
  return Buffer.from(`{"return":"count","embeddings":[${rows.map((row) => wireRow(row, encoding)).join(",")}]}`);
}
