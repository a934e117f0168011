/*
 * Vectors without a model: signed feature hashing (Weinberger et al. 2009) of words and their character trigrams, so
 * texts that share words, or similar words, get similar vectors. Lexical, not semantic.
 */

const letter = "[\\p{L}\\p{N}\\p{M}]";
/** Scripts without spaces between words; pairs of characters count as words. */
const spaceless = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => `\\p{scx=${script}}`)
  .join("");
const tokenPattern = new RegExp(`(?<run>(?:(?=${letter})[${spaceless}])+)|(?:(?![${spaceless}])${letter})+`, "gu");

/** A word has about as many trigrams as letters. At 0.25 the whole word still counts more than any of its parts. */
const trigramWeight = 0.25;

/** What is made of a text in one go: about a millisecond of work. The vector does not depend on it. */
const featuresPerStep = 4_096;

/**
 * A vector of Euclidean length 1, never the zero vector. The same text always gives the same vector.
 * @param dimensions 1 to 16,000
 */
export function hashText(text: string, dimensions: number): Float32Array {
  const steps = hashSteps(text, dimensions);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.vector;
  }
}

/** `words`: how many the text has; in scripts without spaces, pairs of characters. */
export interface Hashed {
  vector: Float32Array;
  words: number;
}

/** The same in steps: a long text takes 0.3 s per megabyte, and others can work in between. */
export function* hashSteps(text: string, dimensions: number): Generator<undefined, Hashed> {
  const plain = (yield* normalized(text)).toLowerCase();
  const counted = { words: 0 };
  const vector =
    (yield* project(wordFeatures(plain, counted), dimensions)) ??
    // No words (punctuation, emoji), or words whose hashes cancel out, which is likely only in few dimensions.
    (yield* project(characterFeatures(plain), dimensions)) ??
    unit(mix(fnv1a(plain)) % dimensions, dimensions);
  return { vector, words: counted.words };
}

/**
 * In UTF-16 units. The time that sorting combining marks takes grows with the square of their number: a text of a
 * million takes minutes. Only a text that has no `border` in so many units is cut elsewhere.
 */
const longestPiece = 4_096;
/** Characters that never join the one before: what precedes them can be normalized alone. */
const border = /[\t\n\r -~\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]/;

/** The text in Unicode's form NFKC. */
function* normalized(text: string): Generator<undefined, string> {
  let plain = "";
  for (let at = 0; at < text.length;) {
    const end = at + longestPiece;
    let cut = end;
    while (cut < text.length && cut > at && !border.test(text.charAt(cut))) cut -= 1;
    // The second half of a character must not stand alone.
    if (cut === at) cut = (text.charCodeAt(end) & 0xfc00) === 0xdc00 ? end - 1 : end;
    plain += text.slice(at, cut).normalize("NFKC");
    at = cut;
    yield;
  }
  return plain;
}

function* wordFeatures(plain: string, counted: { words: number }): Generator<readonly [string, number]> {
  for (const match of plain.matchAll(tokenPattern)) {
    const [word] = match;
    if (match.groups?.run !== undefined) {
      for (const pair of pairsOf(word)) {
        counted.words += 1;
        yield [pair, 1];
      }
      continue;
    }
    counted.words += 1;
    yield [word, 1];
    const marked = `^${word}$`;
    // The prefix distinguishes a trigram from a word of three letters.
    for (let at = 0; at + 3 <= marked.length; at += 1) yield [`#${marked.slice(at, at + 3)}`, trigramWeight];
  }
}

/** Each two neighbours; a single character alone. */
function* pairsOf(run: string): Generator<string> {
  let before = "";
  let isSingle = true;
  for (const character of run) {
    if (before !== "") {
      isSingle = false;
      yield `${before}${character}`;
    }
    before = character;
  }
  if (isSingle) yield run;
}

function* characterFeatures(plain: string): Generator<readonly [string, number]> {
  for (const character of plain) yield [character, 1];
}

/** Sums the features into a unit vector; null if there are none or they cancel out. */
function* project(
  features: Iterable<readonly [string, number]>,
  dimensions: number,
): Generator<undefined, Float32Array | null> {
  const counts = new Map<string, { weight: number; count: number }>();
  let worked = 0;
  for (const [feature, weight] of features) {
    const seen = counts.get(feature);
    if (seen === undefined) counts.set(feature, { weight, count: 1 });
    else seen.count += 1;
    worked += 1;
    if (worked % featuresPerStep === 0) yield;
  }
  const sums = new Float64Array(dimensions);
  for (const [feature, { weight, count }] of counts) {
    const hash = fnv1a(feature);
    const sign = mix(hash ^ 0x9e3779b9) & 1 ? 1 : -1; // from other bits than the position
    const place = mix(hash) % dimensions;
    sums[place] = (sums[place] ?? 0) + sign * weight * (1 + Math.log(count));
    worked += 1;
    if (worked % featuresPerStep === 0) yield;
  }
  // Plain loops: reduce() and Float32Array.from(…, callback) take seven times as long (0.16 ms for 1,536 numbers).
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  const length = Math.sqrt(squares);
  // A shorter vector is only rounding error.
  if (length < 1e-9) return null;
  const vector = new Float32Array(dimensions);
  for (let i = 0; i < dimensions; i += 1) vector[i] = (sums[i] ?? 0) / length;
  return vector;
}

function unit(place: number, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  vector[place] = 1;
  return vector;
}

/** FNV-1a, 32 bits, over the two bytes of each UTF-16 unit. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    hash = Math.imul(hash ^ (code & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (code >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** MurmurHash3's finaliser: FNV-1a's low bits alone are too regular to choose a position. */
function mix(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
