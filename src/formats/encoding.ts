import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import type iconvLite from "iconv-lite";
import type * as chardet from "jschardet";
import { DocumentError } from "../words/document.js";
import { isForeign, latinEncoding } from "./latinText.js";

// Loaded when first needed, because most files are UTF-8; by require(), because decodeText is synchronous.
const load = createRequire(import.meta.url);
const iconv = () => load("iconv-lite") as typeof iconvLite;
const jschardet = () => load("jschardet") as typeof chardet;

/** In bytes: this much of a file's beginning decides its encoding. */
const sampleSize = 1_048_576;
/** In bytes, for the detector: its time grows with the text, and its guess does not improve beyond this. */
const guessSize = 262_144;
const zerosSize = 65_536;

type Decoder = Pick<iconvLite.DecoderStream, "write" | "end">;

/**
 * The encodings that the detector may answer with. Among all that it knows, it takes a short German text for DOS
 * Hebrew; among these, it recognises 98 of 108 texts in 18 languages, instead of 94.
 */
const guessed =
  "cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 koi8-r koi8-u tis-620 iso8859-2 iso8859-5 iso8859-7 " +
  "iso8859-15 cp932 shift_jis_2004 euc_jis_2004 gb18030 big5hkscs cp949 euc_kr cp437 cp850 cp866 mac-roman";

interface DecodeOptions {
  /** The text is HTML or XML, which may declare its encoding. */
  markup?: boolean;
}

const declaration = /<(?:meta|\?xml)\b[^>]*?\b(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)/i;

/** Decodes a text whose encoding is unknown. @throws DocumentError unsupported_file when it is not text */
export function decodeText(bytes: Uint8Array, options: DecodeOptions = {}): string {
  const decoder = decoderOf(encodingOf(bytes, { ...options, isWhole: true }));
  const text = decoder.write(asBuffer(bytes)) + (decoder.end() ?? "");
  refuseBinary(text.slice(0, sampleSize));
  return withoutGaps(text);
}

/**
 * Yields the text of a file in pieces of whole characters. The beginning of the file decides the encoding; bytes that
 * are invalid in it become U+FFFD.
 * @throws DocumentError unsupported_file when it is not text
 */
export async function* decodeFile(path: string, options: DecodeOptions = {}): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  for await (const bytes of createReadStream(path, { highWaterMark: sampleSize }) as AsyncIterable<Buffer>) {
    const isFirst = decoder === undefined;
    decoder ??= decoderOf(encodingOf(bytes, { ...options, isWhole: bytes.length < sampleSize }));
    const text = decoder.write(bytes);
    if (isFirst) refuseBinary(text);
    yield* nonEmpty(withoutGaps(text));
  }
  yield* nonEmpty(withoutGaps(decoder?.end() ?? ""));
}

/** Decodes a text of a known encoding. @param encoding its name; an unknown one means windows-1252 */
export function decodeAs(bytes: Uint8Array, encoding: string): string {
  const decoder = decoderOf(knownEncoding(encoding) ?? "windows-1252");
  return decoder.write(asBuffer(bytes)) + (decoder.end() ?? "");
}

/** Removes U+0000, which PostgreSQL cannot store in text, and byte order marks; replaces lone surrogates by U+FFFD. */
export function clean(text: string): string {
  return text.replaceAll("\0", "").replaceAll("\ufeff", "").toWellFormed();
}

/** Turns zeros into a space: they separate texts in lists of names and in records of fixed length. */
function withoutGaps(text: string): string {
  return clean(text.replace(/\0+/g, " "));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function* nonEmpty(text: string): Generator<string> {
  if (text !== "") yield text;
}

function encodingOf(bytes: Uint8Array, { markup = false, isWhole }: DecodeOptions & { isWhole: boolean }): string {
  const marked = encodingOfMark(bytes);
  if (marked !== null) return marked;
  const head = Buffer.from(bytes.subarray(0, 4_096)).toString("latin1");
  const name = markup ? declaration.exec(head)?.[1] : undefined;
  const declared = name === undefined ? null : knownEncoding(name);
  // Checked before UTF-8, because its bytes are all ASCII and so valid UTF-8.
  if (declared === "iso-2022-jp" || head.includes("\u001b$B")) return "iso-2022-jp";
  const wide = encodingOfZeros(bytes.subarray(0, zerosSize));
  if (wide !== null) return wide;
  if (isUtf8Text(bytes, isWhole) || declared === "utf-8") return "utf-8";
  // A declaration of UTF-16 is wrong: it was read as ASCII.
  if (declared !== null && !declared.startsWith("utf-")) return declared;
  return isNearlyUtf8(bytes) ? "utf-8" : guess(bytes);
}

function encodingOfMark(bytes: Uint8Array): string | null {
  const mark = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  if (mark.startsWith("efbbbf")) return "utf-8";
  if (mark === "fffe0000") return "utf-32le";
  if (mark === "0000feff") return "utf-32be";
  if (mark.startsWith("fffe")) return "utf-16le";
  return mark.startsWith("feff") ? "utf-16be" : null;
}

/**
 * Recognises UTF-16 without a byte order mark: even Cyrillic or Chinese text has spaces and line breaks, whose zeros
 * are all at odd or all at even places.
 */
function encodingOfZeros(bytes: Uint8Array): string | null {
  const zeros: [number, number] = [0, 0];
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0) zeros[at % 2 === 0 ? 0 : 1] += 1;
  const [even, odd] = zeros;
  const enough = Math.max(2, bytes.length / 20);
  const isLittle = odd >= enough && even * 20 <= odd;
  if (!isLittle && !(even >= enough && odd * 20 <= even)) return null;
  // UTF-16 is half zeros (ASCII), or has control bytes, or is invalid UTF-8. Anything else is another text with some
  // zeros in it.
  if (4 * (even + odd) < bytes.length && isUtf8(bytes) && !bytes.some(isOddControl)) return null;
  return isLittle ? "utf-16le" : "utf-16be";
}

const isOddControl = (byte: number) => byte !== 0 && isControl(byte) && byte < 0x7f;

function isUtf8Text(bytes: Uint8Array, isWhole: boolean): boolean {
  const halves = isWhole ? [0] : [0, 1, 2, 3];
  return halves.some((half) => isUtf8(bytes.subarray(0, bytes.length - half)));
}

/** Whether a text is UTF-8 but for a few broken characters, which are no reason to misread all others. */
function isNearlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, sampleSize));
  let [broken, others] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd) broken += 1;
    else if (code > 0x7f) others += 1;
  }
  return broken * 10 <= others;
}

/** The detector decides between other scripts; for Latin script it needs long texts, and `latinEncoding` none. */
function guess(bytes: Uint8Array): string {
  const sample = asBuffer(bytes.subarray(0, guessSize));
  const { encoding } = jschardet().detect(sample, { detectEncodings: guessed.split(" ") });
  const likely = (encoding === null ? null : knownEncoding(encoding)) ?? "windows-1252";
  return isForeign(iconv().decode(sample, likely)) ? likely : latinEncoding(sample, likely);
}

/**
 * The encoding to decode with for a name; null if it is unknown. As in browsers, a name of a subset means the larger
 * encoding.
 */
function knownEncoding(name: string): string | null {
  const label = name.toLowerCase().replaceAll("_", "-");
  if (/^((us-)?ascii|iso-?8859-1|latin-?1)$/.test(label)) return "windows-1252";
  if (/^(shift-?jis|sjis)/.test(label)) return "cp932";
  if (label.startsWith("euc-ji")) return "euc-jp";
  if (label.startsWith("iso-2022-jp")) return "iso-2022-jp";
  if (label === "utf8") return "utf-8";
  return iconv().encodingExists(label) ? label : null;
}

/** Decoded by Node, which is faster; iconv-lite lacks ISO-2022-JP. */
const native = new Set(["utf-8", "utf-16le", "utf-16be", "iso-2022-jp"]);

function decoderOf(encoding: string): Decoder {
  if (!native.has(encoding)) return iconv().getDecoder(encoding);
  const decoder = new TextDecoder(encoding);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}

/**
 * Refuses binary data, where every tenth byte is a control character. A few are allowed: logs and old texts have some.
 */
function refuseBinary(text: string): void {
  let controls = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // A run of zeros counts once: a crash leaves such gaps in a log.
    if (isControl(code) && !(code === 0 && text.charCodeAt(at - 1) === 0)) controls += 1;
  }
  if (controls > Math.max(8, text.length / 20))
    throw new DocumentError(
      "unsupported_file",
      "The file is not text, or its encoding is unknown. Save it as UTF-8 text.",
    );
}

/** Whether a character is a control character other than line breaks, tabs and the escape of coloured logs. */
function isControl(code: number): boolean {
  if (code < 0x20) return (code < 0x09 || code > 0x0d) && code !== 0x1b;
  return (code >= 0x7f && code <= 0x9f && code !== 0x85) || code === 0xfffd;
}
