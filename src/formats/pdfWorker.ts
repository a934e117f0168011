import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { maxElements, PdfLimits } from "./pdfLimits.js";
import { type CharacterMap, change, type Known, type PdfParts } from "./pdfParts.js";

/** Of the document that is read now: a thread reads one at a time. */
let limits = new PdfLimits(Infinity);
let loading: Promise<void> | undefined;

/** Has pdf.js obey these limits from now on. */
export async function limitPdf(those: PdfLimits): Promise<void> {
  await (loading ??= load());
  limits = those;
}

const parts =
  "WorkerMessageHandler, Name, Cmd, Ref, DecodeStream, FlateStream, Lexer, Parser, XRef, CMap, " +
  "PartialEvaluator, Font";

/**
 * Loads the half of pdf.js that parses. It has no limits of its own, so its code is compiled here: our constructors
 * take the place of the global ones, and it returns its classes.
 */
async function load(): Promise<void> {
  const path = createRequire(import.meta.url).resolve("pdfjs-dist/legacy/build/pdf.worker.mjs");
  const url = pathToFileURL(path).href;
  const code = (await readFile(path, "utf8")).replaceAll("import.meta.url", JSON.stringify(url));
  const end = "export { WorkerMessageHandler };";
  if (!code.includes(end)) throw new Error(`${path} is not the version of pdf.js that this file is written for`);
  const body = `"use strict";${code.replace(end, `return {${parts}};`)}\n//# sourceURL=${url}`;
  // With vm.compileFunction, errors would be of other classes than ours in tests.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const compiled = new Function(...Object.keys(globals), body) as (...values: unknown[]) => PdfParts;
  const pdf = compiled(...Object.values(globals));
  limitStreams(pdf);
  limitNames(pdf);
  limitObjects(pdf);
  limitFonts(pdf);
  // Its other half looks here before it loads the file itself.
  Object.assign(globalThis, { pdfjsWorker: { WorkerMessageHandler: pdf.WorkerMessageHandler } });
}

type Bytes = Uint8ArrayConstructor | Uint8ClampedArrayConstructor | Int8ArrayConstructor | Int16ArrayConstructor;

const counted = (type: Bytes | Uint32ArrayConstructor) =>
  new Proxy(type, {
    construct(target, [length, ...rest]: unknown[]) {
      if (typeof length === "number" && length > 0) limits.take("bytes", length * target.BYTES_PER_ELEMENT);
      return Reflect.construct(target, [length, ...rest]) as object;
    },
  });

/** What the code of pdf.js finds under these names. */
const globals = {
  Uint8Array: counted(Uint8Array),
  Uint8ClampedArray: counted(Uint8ClampedArray),
  Int8Array: counted(Int8Array),
  Int16Array: counted(Int16Array),
  Uint32Array: counted(Uint32Array),
  Array: new Proxy(Array, {
    construct: (target, values: unknown[]) =>
      // A long array grows with its elements: the file says how many there are, and may not have them.
      values.length === 1 && Number(values[0]) > maxElements ? [] : Reflect.construct(target, values),
  }),
  // It unpacks a stream to its end. Without it, pdf.js does so itself.
  DecompressionStream: undefined,
};

function limitStreams({ DecodeStream, FlateStream }: PdfParts): void {
  change(DecodeStream, "ensureBuffer", (ensureBuffer) => {
    return function (size) {
      const before = this.buffer.byteLength;
      const buffer = ensureBuffer.call(this, size);
      if (buffer.byteLength > before) limits.take("bytes", -before);
      return buffer;
    };
  });
  Object.defineProperty(FlateStream.prototype, "isAsync", { value: false });
}

function limitNames({ Name, Cmd, Ref }: PdfParts): void {
  const count = (known: Known) => {
    if (known.isCounted === true) return known;
    limits.take("names", 1);
    known.isCounted = true;
    return known;
  };
  const [name, operator, reference] = [Name.get, Cmd.get, Ref.get];
  Name.get = (text) => count(name(text));
  Cmd.get = (text) => count(operator(text));
  Ref.get = (number, generation) => count(reference(number, generation));
}

function limitObjects({ Lexer, Parser, XRef }: PdfParts): void {
  change(Lexer, "getObj", (getObj) => {
    return function () {
      // What pdf.js tries after an error ends here.
      if (limits.isExceeded) this.currentChar = -1;
      return getObj.call(this);
    };
  });
  // Each character of a page passes here: calls would take time.
  change(Lexer, "nextChar", () => {
    return function () {
      if (this.strBuf !== undefined && this.strBuf.length > maxElements) limits.compare("elements", this.strBuf.length);
      return (this.currentChar = this.stream.getByte());
    };
  });
  let [depth, elements] = [0, 0];
  change(Parser, "getObj", (getObj) => {
    return function (cipher) {
      elements = depth === 0 ? 0 : elements + 1;
      limits.compare("elements", elements);
      depth += 1;
      try {
        return getObj.call(this, cipher);
      } finally {
        depth -= 1;
      }
    };
  });
  change(XRef, "readXRefStream", (readXRefStream) => {
    return function (stream) {
      // Pairs of a first number and a count.
      for (const [i, count] of numbersIn(this.streamState.entryRanges).entries()) {
        if (i % 2 === 1) limits.compare("objects", count);
      }
      readXRefStream.call(this, stream);
    };
  });
}

function limitFonts({ CMap, PartialEvaluator, Font }: PdfParts): void {
  const mapped = new WeakMap<CharacterMap, number>();
  for (const name of ["mapCidRange", "mapBfRange"] as const) {
    change(CMap, name, (map) => {
      return function (low, high, to) {
        const codes = (mapped.get(this) ?? 0) + Math.max(0, high - low);
        limits.compare("codes", codes);
        mapped.set(this, codes);
        map.call(this, low, high, to);
      };
    });
  }
  change(PartialEvaluator, "preEvaluateFont", (preEvaluateFont) => {
    return function (dictionary) {
      const font = preEvaluateFont.call(this, dictionary);
      limits.compare("codes", font.lastChar - font.firstChar);
      // Widths: a first code and a list of them; or a first code, a last one, and what holds for these.
      for (const [key, each] of [["W", 3] as const, ["W2", 5] as const]) {
        const list = numbersIn(font.dict.getArray(key));
        for (let i = 0; i < list.length; i += Number.isNaN(list[i + 1]) ? 2 : each) {
          limits.compare("codes", Number(list[i + 1]) - Number(list[i]));
        }
      }
      return font;
    };
  });
  change(PartialEvaluator, "readCidToGidMap", (readCidToGidMap) => {
    return function (bytes, toUnicode) {
      limits.compare("codes", bytes.length / 2);
      return readCidToGidMap.call(this, bytes, toUnicode);
    };
  });
  change(Font, "charsToGlyphs", (charsToGlyphs) => {
    return function (codes) {
      limits.compare("elements", codes.length);
      const glyphs = charsToGlyphs.call(this, codes);
      let characters = 0;
      for (const { unicode } of glyphs) characters += unicode.length;
      limits.take("characters", characters);
      return glyphs;
    };
  });
}

/** The elements of a list, NaN for those that are no numbers. */
const numbersIn = (list: unknown): number[] =>
  Array.isArray(list) ? list.map((each) => (typeof each === "number" ? each : NaN)) : [];
