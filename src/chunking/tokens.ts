import { bytePairEncoder } from "./bytePairs.js";
import type { Counter, Measured } from "./counters.js";

/**
 * Longer pieces are cut, because the time of byte pair encoding grows with the square of a piece's length. Words are
 * far shorter: this only cuts long runs of one kind of character.
 */
const longestPiece = 256;

/** How many counted pieces are remembered, twice over: words repeat. At their longest, this many take 15 MB. */
const knownPieces = 15_000;

/** Shared, because the encoding's tables take 30 MB of memory. */
let counter: Promise<Counter> | undefined;

/**
 * Counts tokens of cl100k_base, the encoding of OpenAI's embedding models, in which its vector stores count too. Like
 * the encoding, the counter splits a text into words, numbers and runs of signs or blanks, and counts each; it cuts
 * pieces of more than 256 characters. Special tokens such as <|endoftext|> count as plain text.
 */
export function tokenCounter(): Promise<Counter> {
  counter ??= loadEncoding().then((encoding) => ({
    count: (text) => countTokens(encoding, text),
    measure: (text, most) => measure(encoding, text, most),
  }));
  return counter;
}

/** What is known of the pieces that a text splits into. */
interface Encoding {
  tokensOf: (piece: string) => number;
  /** Where a token of a piece begins; if that is inside a character, the border before or after it. */
  tokenStart: (piece: string, token: number, round: "down" | "up") => number;
  /**
   * Where the piece ends that begins at `at`. Depends on nothing before `at`, and on at most 512 UTF-16 units after it.
   */
  pieceEnd: (text: string, at: number) => number;
}

async function loadEncoding(): Promise<Encoding> {
  const [{ default: ranks }, { CL100K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import("gpt-tokenizer/bpeRanks/cl100k_base"),
    import("gpt-tokenizer/encodingParams/constants"),
  ]);
  const encode = bytePairEncoder(ranks);
  const pattern = new RegExp(CL100K_TOKEN_SPLIT_REGEX.source, "uy");
  let known = new Map<string, number>();
  let older = known;

  return {
    tokensOf: (piece) => {
      const before = known.get(piece);
      if (before !== undefined) return before;
      const tokens = older.get(piece) ?? encode(piece).length - 1;
      // Pieces in use move to the new map. One map, emptied when full, would make a text with more words be counted
      // again and again.
      if (known.size >= knownPieces) [older, known] = [known, new Map<string, number>()];
      known.set(detached(piece), tokens);
      return tokens;
    },
    tokenStart: (piece, token, round) => {
      const bytes = encode(piece)[token] ?? Infinity;
      let at = 0;
      let end = 0;
      for (const character of piece) {
        if (end >= bytes) break;
        end += Buffer.byteLength(character);
        if (end <= bytes || round === "up") at += character.length;
      }
      return at;
    },
    pieceEnd: (text, at) => {
      const ahead = text.slice(at, at + 2 * longestPiece);
      pattern.lastIndex = 0;
      const length = pattern.test(ahead) ? Math.min(pattern.lastIndex, longestPiece) : 1;
      const splitsCharacter = length > 1 && isHighSurrogate(ahead, length - 1) && length < ahead.length;
      return at + (splitsCharacter ? length - 1 : length);
    },
  };
}

function countTokens({ tokensOf, pieceEnd }: Encoding, text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    tokens += tokensOf(text.slice(at, end));
    at = end;
  }
  return tokens;
}

function measure(encoding: Encoding, text: string, most: number): Measured {
  const { tokensOf, tokenStart, pieceEnd } = encoding;
  /** Where each piece begins, and the tokens before it; the last entry is the end of the last piece. */
  const starts = [0];
  const sums = [0];
  const startOf = (piece: number) => starts[piece] ?? 0;
  const before = (piece: number) => sums[piece] ?? 0;
  for (let at = 0, sum = 0; at < text.length && sum <= most;) {
    const end = pieceEnd(text, at);
    sum += tokensOf(text.slice(at, end));
    at = end;
    starts.push(at);
    sums.push(sum);
  }

  function findReach(): number {
    const last = starts.length - 1;
    if (before(last) <= most) return startOf(last);
    const piece = text.slice(startOf(last - 1), startOf(last));
    return startOf(last - 1) + tokenStart(piece, most - before(last - 1), "down");
  }

  function range(from: number, to: number): number {
    // Blanks before the end of a text may split differently than blanks before more text.
    let last = lastThat(starts.length - 1, (piece) => startOf(piece) < to);
    while (last > 0 && /\s/.test(text.charAt(startOf(last) - 1))) last -= 1;
    // A start inside a piece changes the pieces after it, but usually only the first.
    let piece = lastThat(last, (each) => startOf(each) <= from);
    let tokens = 0;
    for (let at = from; at <= startOf(last);) {
      while (startOf(piece) < at) piece += 1;
      if (startOf(piece) === at) {
        return tokens + before(last) - before(piece) + countTokens(encoding, text.slice(startOf(last), to));
      }
      const end = pieceEnd(text, at);
      tokens += tokensOf(text.slice(at, end));
      at = end;
    }
    return countTokens(encoding, text.slice(from, to));
  }

  function tail(to: number, most: number): number {
    const total = range(0, to);
    if (total <= most) return 0;
    const last = lastThat(starts.length - 1, (piece) => startOf(piece) < to);
    // The piece that fits only in part.
    const first = lastThat(last, (piece) => total - before(piece) > most);
    const piece = text.slice(startOf(first), first === last ? to : startOf(first + 1));
    return startOf(first) + tokenStart(piece, total - before(first) - most, "up");
  }

  return { reach: findReach(), range, tail };
}

/** Binary search: the last of 0…`most` that fits, if all before it fit; 0 if none does. */
function lastThat(most: number, fits: (value: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isHighSurrogate(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

/** Copies a string. In V8, a slice of 13 characters or more keeps its whole source string in memory. */
function detached(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, "utf16le").toString("utf16le");
}
