import { bytePairEncoder } from "./bytePairs.js";
import type { Counter, Measured } from "./counters.js";

/** Byte pair encoding's time grows with the square of a piece's length; words are far shorter, so only runs of one kind of character are cut. */
const longestPiece = 256;

/** Words return: most pieces of a text were counted before. At their longest, these would be 15 MB; there are two generations of them. */
const knownPieces = 15_000;

/** The encoding's tables are 1 MB of code and some 30 MB in memory. */
let counter: Promise<Counter> | undefined;

/**
 * Counts tokens of cl100k_base, which is the encoding of OpenAI's embedding models and the one its vector stores count in. As the encoding
 * does, the counter takes a text apart into words, numbers and runs of signs or blanks and counts these one by one; pieces of more than
 * 256 characters it cuts. Special tokens such as <|endoftext|> are text like any other.
 */
export function tokenCounter(): Promise<Counter> {
  counter ??= loadCounter();
  return counter;
}

async function loadCounter(): Promise<Counter> {
  const [{ default: ranks }, { CL100K_TOKEN_SPLIT_REGEX }] = await Promise.all([
    import("gpt-tokenizer/bpeRanks/cl100k_base"),
    import("gpt-tokenizer/encodingParams/constants"),
  ]);
  const encode = bytePairEncoder(ranks);
  const pattern = new RegExp(CL100K_TOKEN_SPLIT_REGEX.source, "uy");
  let known = new Map<string, number>();
  let older = known;

  function tokensOf(piece: string): number {
    const before = known.get(piece);
    if (before !== undefined) return before;
    const tokens = older.get(piece) ?? encode(piece).length - 1;
    // What is used stays: to forget all at once would be to count a text of more words anew each time.
    if (known.size >= knownPieces) [older, known] = [known, new Map<string, number>()];
    known.set(detached(piece), tokens);
    return tokens;
  }

  /** Where a token of a piece begins; where that is within a character, before or after this. */
  function tokenStart(piece: string, token: number, round: "down" | "up"): number {
    const bytes = encode(piece)[token] ?? Infinity;
    let at = 0;
    let end = 0;
    for (const character of piece) {
      if (end >= bytes) break;
      end += Buffer.byteLength(character);
      if (end <= bytes || round === "up") at += character.length;
    }
    return at;
  }

  /** Where the piece ends that begins at `at`. This depends on nothing before `at`, and on no more than the 512 units after it. */
  function pieceEnd(text: string, at: number): number {
    const ahead = text.slice(at, at + 2 * longestPiece);
    pattern.lastIndex = 0;
    const length = pattern.test(ahead) ? Math.min(pattern.lastIndex, longestPiece) : 1;
    const splitsCharacter = length > 1 && isHighSurrogate(ahead, length - 1) && length < ahead.length;
    return at + (splitsCharacter ? length - 1 : length);
  }

  function count(text: string): number {
    let tokens = 0;
    for (let at = 0; at < text.length;) {
      const end = pieceEnd(text, at);
      tokens += tokensOf(text.slice(at, end));
      at = end;
    }
    return tokens;
  }

  function measure(text: string, most: number): Measured {
    /** Where the pieces begin, and the tokens before each; the last is where the next would begin. */
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
      // Blanks before the end of a text may be taken apart otherwise than when more follows.
      let last = lastThat(starts.length - 1, (piece) => startOf(piece) < to);
      while (last > 0 && /\s/.test(text.charAt(startOf(last) - 1))) last -= 1;
      // From within a piece on, the pieces are others, but mostly the next one begins where it did.
      let piece = lastThat(last, (each) => startOf(each) <= from);
      let tokens = 0;
      for (let at = from; at <= startOf(last);) {
        while (startOf(piece) < at) piece += 1;
        if (startOf(piece) === at) return tokens + before(last) - before(piece) + count(text.slice(startOf(last), to));
        const end = pieceEnd(text, at);
        tokens += tokensOf(text.slice(at, end));
        at = end;
      }
      return count(text.slice(from, to));
    }

    function tail(to: number, most: number): number {
      const total = range(0, to);
      if (total <= most) return 0;
      const last = lastThat(starts.length - 1, (piece) => startOf(piece) < to);
      // The piece that does not fit as a whole.
      const first = lastThat(last, (piece) => total - before(piece) > most);
      const piece = text.slice(startOf(first), first === last ? to : startOf(first + 1));
      return startOf(first) + tokenStart(piece, total - before(first) - most, "up");
    }

    return { reach: findReach(), range, tail };
  }

  return { count, measure };
}

/** The last of 0…`most` that fits, when all before it do; 0 when none does. */
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

/** A copy. A part of 13 characters or more of a string keeps the whole of it in memory (V8). */
function detached(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, "utf16le").toString("utf16le");
}
