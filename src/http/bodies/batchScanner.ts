import { maxLineBytes } from "../../numbers/lines.js";
import { parseBytes } from "./jsonBody.js";
import { mostLevels, repeated, tooDeep } from "./jsonStructure.js";
import { parseRowText } from "./rowText.js";
import { tooManyRows } from "../wire/embedding.js";
import { invalid, tooLarge } from "../../words/errors.js";
import { isObject } from "../../words/exactJson.js";

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** In bytes, beside the rows: it is parsed at once when the body ends. */
const mostAround = 10 * 2 ** 20;
/** In bytes, for each row: white space and a comma. */
const mostAroundRow = 1024;
const tooMuchAround = "The body has more than 10 MB beside its rows.";

/**
 * Finds the rows of a batch, the objects of the top-level array `embeddings`, in the bytes of its JSON as they arrive.
 * Each row is parsed once its last byte is there; then its text is dropped. All other text is kept, with `{}` for each
 * row, and given to JSON.parse at the end. So the scanner itself checks no syntax: if brackets do not match, a row's
 * text or the text around the rows is not JSON; if these are all JSON, so is the whole body.
 */
export class BatchScanner<Row> {
  private readonly rows: Row[] = [];
  /** The text around the rows, one character per byte. Not a slice, which would keep the whole Buffer in memory. */
  private around = "";
  /** For each row so far, the length of `around` behind its `{}`, and by how much the body was longer there. */
  private readonly cuts: number[] = [];
  /** The text so far of the current row; null: outside a row. */
  private row: Buffer[] | null = null;
  private rowBytes = 0;
  private depth = 0;
  private inString = false;
  /** The bytes so far end in a backslash that is not escaped itself. */
  private escaped = false;
  /** At depth 1, before the colon: the next string is the name of a field. */
  private atName = false;
  private name = "";
  private nameIsRows = false;
  private inRows = false;
  private hadRows = false;
  /** Index in the array `embeddings`. */
  private index = 0;
  /** Inside an array that is a field of a row and has had only numbers so far. */
  private inNumbers = false;

  /**
   * @param maxRows more rows are refused without being read
   * @param toRow checks the value of a row; `path` is its place, e.g. `embeddings[17]`
   */
  constructor(
    private readonly maxRows: number,
    private readonly toRow: (value: unknown, path: string) => Row,
  ) {}

  /**
   * Takes the next bytes of the body, in parts of any size.
   * @throws ApiError 400 for the first invalid row, and what `toRow` throws
   */
  push(chunk: Buffer): void {
    let kept = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.inString) {
        at = this.skipString(chunk, at);
        continue;
      }
      if (this.inNumbers) {
        at = this.skipNumbers(chunk, at);
        if (at === chunk.length) break;
      }
      switch (chunk[at] ?? 0) {
        case quote:
          this.inString = true;
          this.escaped = false;
          this.name = "";
          break;
        case openObject:
          if (this.inRows && this.depth === 2) {
            this.around += `${chunk.toString("latin1", kept, at)}{}`;
            this.row = [];
            this.rowBytes = 0;
            kept = at;
          }
          if (this.depth === 0) this.atName = true;
          this.goDeeper();
          break;
        case openArray:
          if (this.depth === 1 && this.nameIsRows) this.beginRows();
          this.inNumbers = this.row !== null && this.depth === 3;
          this.goDeeper();
          break;
        case closeObject:
        case closeArray:
          this.depth -= 1;
          if (this.depth === 1) this.inRows = false;
          if (this.row !== null && this.depth === 2) {
            this.row.push(chunk.subarray(kept, at + 1));
            kept = at + 1;
            this.takeRow(this.row);
          }
          break;
        case colon:
          if (this.depth === 1) {
            this.nameIsRows = isRowsName(this.name);
            this.atName = false;
          }
          break;
        case comma:
          if (this.depth === 1) {
            this.nameIsRows = false;
            this.atName = true;
          }
          if (this.depth === 2 && this.inRows) this.countRow();
          break;
        default:
      }
      at += 1;
    }
    if (this.row === null) this.around += chunk.toString("latin1", kept);
    else {
      this.row.push(chunk.subarray(kept));
      this.rowBytes += chunk.length - kept;
      if (this.rowBytes > maxLineBytes) throw tooLarge(`${this.path()}: larger than 64 MB`, this.path());
    }
    if (this.around.length > mostAround + this.rows.length * mostAroundRow) throw tooLarge(tooMuchAround);
  }

  /**
   * @returns the body's value, with rows as `toRow` made them
   * @throws ApiError 400 if the body is not JSON, and what `toRow` throws for elements of `embeddings` that are not
   * objects
   */
  end(): unknown {
    // Throws: the row is not complete.
    if (this.row !== null) this.parseRow(Buffer.concat(this.row));
    const value = parseBytes(
      Buffer.from(this.around, "latin1"),
      "",
      (index) => index + this.cutBefore(index),
      2 * (this.index + 1),
    );
    if (!isObject(value) || !Array.isArray(value.embeddings)) return value;
    let next = 0;
    value.embeddings = value.embeddings.map((element: unknown, i) =>
      isObject(element) ? this.rows[next++] : this.toRow(element, `embeddings[${i}]`),
    );
    return value;
  }

  private beginRows(): void {
    if (this.hadRows) throw invalid("embeddings", repeated);
    this.inRows = true;
    this.hadRows = true;
    this.nameIsRows = false;
  }

  private goDeeper(): void {
    if (this.depth === mostLevels)
      throw this.row === null ? invalid(null, `The body is ${tooDeep}.`) : invalid(this.path(), tooDeep);
    this.depth += 1;
  }

  /** How many bytes of the body before an index of `around` are not in it. */
  private cutBefore(index: number): number {
    let cut = 0;
    for (let i = 0; i < this.cuts.length && (this.cuts[i] ?? 0) <= index; i += 2) cut = this.cuts[i + 1] ?? 0;
    return cut;
  }

  private takeRow(parts: readonly Buffer[]): void {
    this.row = null;
    const [first] = parts;
    const bytes = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
    this.cuts.push(this.around.length, (this.cuts.at(-1) ?? 0) + bytes.length - "{}".length);
    this.rows.push(this.parseRow(bytes));
  }

  private parseRow(bytes: Buffer): Row {
    const path = this.path();
    return this.toRow(parseRowText(bytes, path), path);
  }

  private path(): string {
    return `embeddings[${this.index}]`;
  }

  private countRow(): void {
    this.index += 1;
    if (this.index >= this.maxRows) throw invalid("embeddings", tooManyRows(this.maxRows));
  }

  /** @returns the index after the closing quote; the chunk's length if the string continues */
  private skipString(chunk: Buffer, from: number): number {
    const isEscaped = (end: number) => {
      let start = end;
      while (start > from && chunk[start - 1] === backslash) start -= 1;
      return ((end - start) % 2 === 1) !== (start === from && this.escaped);
    };
    let end = chunk.indexOf(quote, from);
    while (end !== -1 && isEscaped(end)) end = chunk.indexOf(quote, end + 1);
    const stop = end === -1 ? chunk.length : end;
    if (this.atName && this.depth === 1) this.name += chunk.toString("latin1", from, stop);
    this.inString = end === -1;
    this.escaped = this.inString && isEscaped(stop);
    return this.inString ? stop : stop + 1;
  }

  /** Skips to the end of an array in one step if it has only numbers: most bytes of a batch are digits. */
  private skipNumbers(chunk: Buffer, from: number): number {
    const close = chunk.indexOf(closeArray, from);
    const end = close === -1 ? chunk.length : close;
    const inside = chunk.subarray(from, end);
    const plain = !inside.includes(quote) && !inside.includes(openArray) && !inside.includes(openObject);
    this.inNumbers = plain && close === -1;
    return plain ? end : from;
  }
}

/** A name may be written with escapes. */
function isRowsName(name: string): boolean {
  if (!name.includes("\\")) return name === "embeddings";
  try {
    return JSON.parse(`"${name}"`) === "embeddings";
  } catch {
    return false;
  }
}
