/** The classes of pdf.js that decide how far a file unfolds, as far as they are used here. Its build exports none. */
export interface PdfParts {
  WorkerMessageHandler: unknown;
  Name: { get: (name: string) => Known };
  Cmd: { get: (operator: string) => Known };
  Ref: { get: (number: number, generation: number) => Known };
  DecodeStream: Class<Stream>;
  FlateStream: Class<object>;
  Lexer: Class<Lexer>;
  Parser: Class<Parser>;
  XRef: Class<References>;
  CMap: Class<CharacterMap>;
  PartialEvaluator: Class<Evaluator>;
  Font: Class<Font>;
}

interface Class<T> {
  prototype: T;
}
/** Made once for each name, operator and reference, and kept. */
export interface Known {
  /** Ours. */
  isCounted?: true;
}
interface Stream {
  /** What was unpacked so far, and room. */
  buffer: Uint8Array;
  ensureBuffer(this: Stream, size: number): Uint8Array;
}
interface Lexer {
  stream: { getByte(): number };
  currentChar: number;
  /** The characters of the string or name that is read. */
  strBuf?: string[];
  nextChar(this: Lexer): number;
  getObj(this: Lexer): unknown;
}
interface Parser {
  /** Reads an object; calls itself for each element of a list or dictionary. */
  getObj(this: Parser, cipher: unknown): unknown;
}
interface References {
  streamState: { entryRanges: unknown };
  readXRefStream(this: References, stream: unknown): void;
}
export interface CharacterMap {
  mapCidRange(this: CharacterMap, low: number, high: number, to: unknown): void;
  mapBfRange(this: CharacterMap, low: number, high: number, to: unknown): void;
}
interface Evaluator {
  preEvaluateFont(
    this: Evaluator,
    dictionary: unknown,
  ): { dict: { getArray(key: string): unknown }; firstChar: number; lastChar: number };
  readCidToGidMap(this: Evaluator, bytes: Uint8Array, toUnicode: unknown): unknown;
}
interface Font {
  charsToGlyphs(this: Font, codes: string): { unicode: string }[];
}

/** Gives a class another method, made from its own. */
export function change<T, Name extends keyof T>(
  { prototype }: Class<T>,
  name: Name,
  make: (own: T[Name]) => T[Name],
): void {
  const own = prototype[name];
  if (typeof own !== "function") throw new Error(`pdf.js has no method ${String(name)} any longer`);
  prototype[name] = make(own);
}
