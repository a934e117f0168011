/**
 * Splits a query into units. A unit is what one word of the query must match: a word, or several in a row if the word
 * has punctuation inside (`E-4711`) or no blanks around it (Chinese, Japanese, Korean). All pure.
 */

/** Characters as [first, last] code points, written once for JavaScript and PostgreSQL. */
type Ranges = readonly (readonly [number, number])[];

/**
 * Characters between words. Listed one by one, because PostgreSQL's idea of punctuation depends on the database's
 * locale.
 */
const separators: Ranges = [
  [0x01, 0x2f], // controls, blank, ASCII punctuation; the underscore too, so that parts of identifiers are words
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0xa9],
  [0xab, 0xb4], // not ª, µ, º
  [0xb6, 0xb9],
  [0xbb, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x55a, 0x55f], // Armenian
  [0x589, 0x58a],
  [0x5be, 0x5be], // Hebrew
  [0x60c, 0x60d], // Arabic
  [0x61b, 0x61f],
  [0x66a, 0x66d],
  [0x6d4, 0x6d4],
  [0x964, 0x965], // Devanagari
  [0x1680, 0x1680],
  [0x2000, 0x206f], // general punctuation
  [0x20a0, 0x20cf], // currencies
  [0x2190, 0x2bff], // arrows, mathematics, boxes, symbols
  [0x2e00, 0x2e7f],
  [0x3000, 0x3004], // CJK punctuation, but not 々 and 〇
  [0x3008, 0x3020],
  [0x3030, 0x3030],
  [0x303d, 0x303f],
  [0x30a0, 0x30a0],
  [0x30fb, 0x30fb],
  [0xe000, 0xf8ff], // private use: icon fonts
  [0xfe00, 0xfe1f], // variation selectors
  [0xfe30, 0xfe6f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffd],
  [0x1f000, 0x1faff], // emoji
  [0xe0000, 0xe01ef],
];

/**
 * Scripts without blanks between words; each character counts as a word. Separators among them have been removed
 * before.
 */
const ideographs: Ranges = [
  [0x1100, 0x11ff], // jamo
  [0x3005, 0x9fff], // kana, bopomofo, han
  [0xa960, 0xa97f],
  [0xac00, 0xd7ff], // hangul
  [0xf900, 0xfaff],
  [0x1b000, 0x1b16f],
  [0x20000, 0x3ffff],
];

const hex = (code: number, length: number) => code.toString(16).padStart(length, "0");

function classFor(ranges: Ranges, escape: (code: number) => string): string {
  return `[${ranges.map(([first, last]) => `${escape(first)}-${escape(last)}`).join("")}]`;
}

const inJavaScript = (code: number) => `\\u{${hex(code, 1)}}`;
const inPostgres = (code: number) => (code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`);

/** The two classes as PostgreSQL's regular expressions. */
export const postgresClasses = {
  separators: classFor(separators, inPostgres),
  ideographs: classFor(ideographs, inPostgres),
};

const notInWords = new RegExp(`${classFor(separators, inJavaScript)}+`, "u");
const ideographRuns = new RegExp(`(${classFor(ideographs, inJavaScript)}+)`, "u");

export const maxQueryCharacters = 100_000;
export const maxUnits = 32;
/** Parts of one unit: a longer word (a URL, a path) continues in the next unit. */
const maxParts = 16;

/**
 * The units of a query, at most `maxUnits`, with blanks between their parts: `E-4711` → `E 4711`, `東京都` → `東 京` and
 * `京 都`. If there are more, those with digits are kept first and then the longest, since these say most.
 */
export function queryUnits(text: string): string[] {
  const units = new Map<string, string>();
  const clean = text.slice(0, maxQueryCharacters).toWellFormed().normalize("NFKC").replaceAll("\0", " ");
  for (const word of clean.split(/\s+/u)) {
    for (const unit of unitsOfWord(word)) {
      const key = unit.toLowerCase();
      if (!units.has(key)) units.set(key, unit);
    }
  }
  if (units.size <= maxUnits) return [...units.values()];
  const weight = (unit: string) => unit.length + (/\p{N}/u.test(unit) ? maxQueryCharacters : 0);
  return [...units.values()].sort((a, b) => weight(b) - weight(a)).slice(0, maxUnits);
}

function* unitsOfWord(word: string): Generator<string> {
  // split() with a group gives the texts between the runs and the runs alternately.
  for (const [i, piece] of word.split(ideographRuns).entries()) {
    const parts = piece.split(notInWords).filter((part) => part !== "");
    if (i % 2 === 0) yield* phrases(parts);
    else for (const part of parts) yield* bigrams(Array.from(part));
  }
}

function* phrases(parts: readonly string[]): Generator<string> {
  for (let at = 0; at < parts.length; at += maxParts) yield parts.slice(at, at + maxParts).join(" ");
}

function* bigrams(characters: readonly string[]): Generator<string> {
  if (characters.length === 1) yield characters.join("");
  for (let at = 1; at < characters.length; at++) yield characters.slice(at - 1, at + 1).join(" ");
}

/** A unit as a query of PostgreSQL's text search. */
export interface Term {
  unit: string;
  /** The text of a tsquery. */
  query: string;
  /** Chunks of the store that have it; an estimate if there are many. */
  count: number;
}

/** Up to this many chunks with rare terms are all ranked: 6 µs each. */
export const rankedWithRare = 1500;

const all = (queries: readonly string[]) => queries.map((each) => `( ${each} )`).join(" & ");
export const any = (queries: readonly string[]) => queries.map((each) => `( ${each} )`).join(" | ");

/**
 * Queries for the best chunks, to be run in this order until there are enough; no two match the same chunk. First all
 * chunks with one of the rarest terms, as long as there are not too many; then those with all other terms, then with
 * the rarer 70 % of these, and so on (each step takes 4 ms in 50,000 chunks); last those with any. So few matches are
 * all found, and of many those with the most terms.
 */
export function candidateQueries(terms: readonly Term[]): { rare: string | null; common: string[] } {
  const byCount = terms.filter((each) => each.count > 0).sort((a, b) => a.count - b.count);
  let sum = 0;
  const rare = byCount.filter((each) => (sum += each.count) <= rankedWithRare).map((each) => each.query);
  const rest = byCount.slice(rare.length).map((each) => each.query);
  const apart = rare.length === 0 ? "" : ` & !( ${any(rare)} )`;
  const common: string[] = [];
  for (let length = rest.length, before = length; length > 0; before = length, length = Math.floor(length * 0.7)) {
    const dropped = length === before ? "" : ` & !( ${all(rest.slice(length, before))} )`;
    common.push(all(rest.slice(0, length)) + dropped + apart);
  }
  const [rarest, ...others] = rest;
  if (rarest !== undefined && others.length > 0) common.push(`( ${any(others)} ) & !( ${rarest} )${apart}`);
  return { rare: rare.length === 0 ? null : any(rare), common };
}

/**
 * Two lexemes that every chunk has beside its words, which never begin with these characters: its store, so that the
 * index itself keeps stores apart; and its store with one of 64 samples, in which common words are counted in a
 * fraction of the time.
 */
export const storeLexeme = (storeId: string) => `/${storeId}`;
export const sampleLexeme = (storeId: string, sample: number) => `#${sample}/${storeId}`;
export const samples = 64;

/** The text of a tsquery for the chunks that have a lexeme and match a query. */
export function having(lexeme: string, query: string): string {
  return `'${lexeme.replaceAll("\\", "\\\\").replaceAll("'", "''")}' & ( ${query} )`;
}
