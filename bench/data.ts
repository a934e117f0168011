import { hashText } from "../src/litellm/hashing.js";

/** Seeded data: the same rows in every run and on every machine, each derived from its number alone. */

export interface Row {
  content: string;
  metadata: Record<string, unknown>;
  vector: Float32Array;
}

export interface Query {
  text: string;
  vector: Float32Array;
}

/** Rows and matching queries. */
export interface Source {
  row: (n: number) => Row;
  query: (n: number) => Query;
  /** The embedding of a query's text, for the server that stands in for a model. */
  vectorOf: (text: string) => Float32Array;
}

export const kinds = ["text", "dense"] as const;
export type Kind = (typeof kinds)[number];

/**
 * `text`: seeded texts with the built-in embedder's vectors, so that no model server is involved. Unlike a model's
 * vectors they are nearly sparse. `dense`: vectors like those of a model; their queries need the server in
 * embeddingServer.ts.
 */
export const createSource = (kind: Kind, dimensions: number): Source =>
  kind === "text" ? textSource(dimensions) : denseSource(dimensions);

function textSource(dimensions: number): Source {
  const texts = createTexts();
  const vectorOf = (text: string) => hashText(text, dimensions);
  return {
    vectorOf,
    row(n) {
      const content = texts.content(n);
      return { content, metadata: metadataOf(n % topics), vector: vectorOf(content) };
    },
    query(n) {
      const text = texts.query(n);
      return { text, vector: vectorOf(text) };
    },
  };
}

const clusters = 300;
const directions = 24;
const tableLength = 1 << 20;

/**
 * Unit vectors in 300 clusters. Within a cluster, rows differ along 24 directions and by a little noise: vectors of
 * models have roughly ten to fifty degrees of freedom locally, and noise in all 1,536 dimensions alone would make all
 * rows of a cluster equally distant from each other. All numbers come from one table of Gaussian numbers, read from
 * different places: generating them each time took minutes for 300,000 rows.
 */
function denseSource(dimensions: number): Source {
  const random = seededRandom(1);
  const table = Float32Array.from({ length: tableLength + dimensions }, () => gaussian(random));
  const place = (from: () => number) => Math.floor(from() * tableLength);
  const centres = Array.from({ length: clusters }, () => ({
    at: place(random),
    along: Array.from({ length: directions }, () => place(random)),
  }));
  const texts = createTexts();
  const add = (sum: Float32Array, at: number, weight: number) => {
    for (let i = 0; i < dimensions; i += 1) sum[i] = (sum[i] ?? 0) + weight * (table[at + i] ?? 0);
  };
  const vector = (own: () => number) => {
    const sum = new Float32Array(dimensions);
    const centre = centres[Math.floor(own() * clusters)];
    add(sum, centre?.at ?? 0, 1);
    for (const at of centre?.along ?? []) add(sum, at, (0.7 / Math.sqrt(directions)) * gaussian(own));
    add(sum, place(own), 0.25);
    return unit(sum);
  };
  return {
    row: (n) => ({
      content: texts.content(n),
      metadata: metadataOf(n % topics),
      vector: vector(seededRandom(2 * n + 2)),
    }),
    query: (n) => ({ text: `query ${n}`, vector: vector(seededRandom(2 * n + 3)) }),
    vectorOf(text) {
      const n = /^query (\d+)$/.exec(text)?.[1];
      if (n === undefined) throw new Error(`no query of this source: ${text.slice(0, 50)}`);
      return vector(seededRandom(2 * Number(n) + 3));
    },
  };
}

const metadataOf = (topic: number) => ({ topic, source: `document-${topic}.txt` });

/** mulberry32: small, fast, and good enough for test data. */
export function seededRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box–Muller. */
const gaussian = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

function unit(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const each of vector) squares += each * each;
  const length = Math.sqrt(squares);
  for (let i = 0; i < vector.length; i += 1) vector[i] = (vector[i] ?? 0) / length;
  return vector;
}

export const topics = 500;
const contentCharacters = 500;

/**
 * Texts of invented words. Every topic has its own words and shares common ones with all topics, so that the built-in
 * embedder puts texts of one topic close together, at different distances.
 */
export function createTexts(): { content: (n: number) => string; query: (n: number) => string } {
  const random = seededRandom(2);
  const pick = (letters: string) => letters.charAt(Math.floor(random() * letters.length));
  const word = () => {
    const syllable = () => `${pick("bdfgklmnprstvz")}${pick("aeiou")}`;
    return Array.from({ length: 2 + Math.floor(random() * 3) }, syllable).join("");
  };
  const vocabulary = (size: number) => Array.from({ length: size }, word);
  const common = vocabulary(2000);
  const own = Array.from({ length: topics }, () => vocabulary(60));
  const writer = (seed: number, topic: number) => {
    const chance = seededRandom(seed);
    // Squared: a few words are frequent and most are rare, as in real text.
    const from = (list: readonly string[]) => list[Math.floor(chance() ** 2 * list.length)] ?? "";
    return () => from(chance() < 0.6 ? (own[topic % topics] ?? common) : common);
  };
  return {
    content(n) {
      const next = writer(2 * n + 2, n);
      let text = next();
      while (text.length < contentCharacters) text += ` ${next()}`;
      return text;
    },
    query(n) {
      const next = writer(2 * n + 3, n * 7);
      return Array.from({ length: 8 }, next).join(" ");
    },
  };
}

export type Encoding = "numbers" | "base64";

/** A row in the API's form. */
export function wireRow(row: Row & { id?: string }, encoding: Encoding): string {
  const { content, metadata, vector } = row;
  const embedding = encoding === "numbers" ? Array.from(vector) : Buffer.from(vector.buffer).toString("base64");
  return JSON.stringify({ ...(row.id === undefined ? {} : { id: row.id }), content, metadata, embedding });
}

export function wireBatch(rows: readonly (Row & { id?: string })[], encoding: Encoding): Buffer {
  return Buffer.from(`{"return":"count","embeddings":[${rows.map((row) => wireRow(row, encoding)).join(",")}]}`);
}
