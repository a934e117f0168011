import { DocumentError } from "../words/document.js";

/** Of one string, list or dictionary, or of a range that stands for a list. */
export const maxElements = 1_000_000;

/** For a small file; for each byte of a larger one; for any. Real documents stay far below. */
const limits = {
  /** In arrays of bytes: streams as they are unpacked, and fonts. */
  bytes: { least: 32 * 2 ** 20, ratio: 30, most: Infinity, what: "a page that takes more than # bytes unpacked" },
  characters: { least: 2_000_000, ratio: 2, most: Infinity, what: "a page with more than # characters" },
  /** Different names, operators and references; each stays in a table, which doubles when it is full. */
  names: { least: 500_000, ratio: 0.1, most: 3_000_000, what: "a page with more than # names" },
  /** In the table of all objects. */
  objects: { least: 1_000_000, ratio: 0.1, most: Infinity, what: "more than # objects" },
  elements: { least: maxElements, ratio: 0, most: Infinity, what: "a text or list of more than # elements" },
  /** In the map of a font, whose codes have two bytes, seldom more. */
  codes: { least: 250_000, ratio: 0, most: Infinity, what: "a font with more than # characters" },
};
type Limit = keyof typeof limits;

/**
 * Counts what pdf.js takes while it reads one document. A file of 700 bytes can name a list of 30 million elements, and
 * one allocation of that size ends the whole process, whatever the heap limit of the thread.
 */
export class PdfLimits {
  readonly #most: Record<Limit, number>;
  /** On this page, or since pdf.js last forgot what it keeps for further pages. */
  readonly #taken = { bytes: 0, characters: 0, names: 0 };
  #isDrawing = false;
  #refusal: DocumentError | null = null;

  /** @param size of the file, in bytes */
  constructor(size: number) {
    const most = (limit: Limit) => {
      const { least, ratio, most: ever } = limits[limit];
      return Math.min(Math.max(least, Math.floor(ratio * size)), ever);
    };
    this.#most = {
      bytes: most("bytes"),
      characters: most("characters"),
      names: most("names"),
      objects: most("objects"),
      elements: most("elements"),
      codes: most("codes"),
    };
  }

  /** Whether a limit was exceeded. */
  get isExceeded(): boolean {
    return this.#refusal !== null;
  }

  /** @throws DocumentError if a limit was exceeded: pdf.js goes on after most errors */
  check(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }

  /** Adds up what is taken; less than none is given back. @throws DocumentError once it is too much */
  take(limit: "bytes" | "characters" | "names", count: number): void {
    if (limit === "bytes" && this.#isDrawing) return;
    this.#taken[limit] = Math.max(0, this.#taken[limit] + count);
    this.compare(limit, this.#taken[limit]);
  }

  /** @throws DocumentError if this is too much */
  compare(limit: Limit, count: number): void {
    // Not `<=`: what comes of a damaged file is not always a number.
    if (!(count > this.#most[limit])) return;
    const what = limits[limit].what.replace("#", this.#most[limit].toLocaleString("en"));
    this.#refusal ??= new DocumentError(
      "invalid_file",
      `The PDF is too large inside: it has ${what}. Save it in a simpler form.`,
    );
    throw this.#refusal;
  }

  /** Draws a page, whose picture takes 100 MB if it was scanned: bytes are not counted. @throws DocumentError */
  async draw<T>(page: () => Promise<T>): Promise<T> {
    this.#isDrawing = true;
    try {
      const drawn = await page();
      this.check();
      return drawn;
    } finally {
      this.#isDrawing = false;
    }
  }

  /** Begins to count the next page. @returns whether pdf.js must forget before it what it keeps for further pages */
  nextPage(): boolean {
    this.#taken.characters = 0;
    const { bytes, names } = this.#taken;
    if (bytes < this.#most.bytes / 2 && names < this.#most.names / 2) return false;
    this.#taken.bytes = this.#taken.names = 0;
    return true;
  }
}
