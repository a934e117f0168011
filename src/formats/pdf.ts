import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist";
import type { TextItem as PdfItem, TextContent } from "pdfjs-dist/types/src/display/api.js";
import { type Block, DocumentError } from "../words/document.js";
import { clean } from "./encoding.js";
import type { ReadOptions, Source } from "./format.js";
import { paragraphsOf } from "./paragraphs.js";
import { bodySize, countSizes, layOut, type SizeTally } from "./pdfLayout.js";
import { PdfLimits } from "./pdfLimits.js";
import type { TextItem } from "./pdfSegments.js";
import { limitPdf } from "./pdfWorker.js";

/** The whole file is in memory while it is read. */
const maxBytes = 256 * 2 ** 20;
const maxPages = 5_000;
/** Pieces of text on a page; the densest drawings have about 10,000. */
const maxItems = 100_000;
/** Size of a page for the vision model: pixels per side, and how far a small page is enlarged (288 dots per inch). */
const maxSide = 2_048;
const maxScale = 4;

/**
 * Reads the text of each page. With `options.pdfVision`, pages without text go to the vision model as images.
 * @throws DocumentError when the file is damaged, encrypted, too large or has no text; what the model call throws
 */
export async function* readPdf(source: Source, options: ReadOptions): AsyncGenerator<Block> {
  if (source.size > maxBytes) throw tooLarge(`is larger than ${maxBytes / 2 ** 20} MB`);
  const limits = new PdfLimits(source.size);
  await limitPdf(limits);
  const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const task = getDocument({ ...settings(), data: await bytesOf(source.path) });
  try {
    const document = await task.promise.catch((cause: unknown) => {
      limits.check();
      throw refusal(cause);
    });
    if (document.numPages > maxPages) throw tooLarge(`has more than ${maxPages.toLocaleString("en")} pages`);
    yield* readPages(document, options, limits);
  } finally {
    await task.destroy();
  }
}

async function* readPages(document: PDFDocumentProxy, options: ReadOptions, limits: PdfLimits): AsyncGenerator<Block> {
  const sizes: SizeTally = new Map();
  let failure: unknown;
  let hasText = false;
  for (let number = 1; number <= document.numPages; number += 1) {
    const place = { page: number };
    let picture: Uint8Array | null = null;
    try {
      const page = await document.getPage(number);
      const directions = await itemsOf(page);
      limits.check();
      for (const items of directions) countSizes(items, sizes);
      // Text that does not run from left to right or right to left is never a heading.
      const blocks = directions.flatMap((items, i) => layOut(items, i === 0 ? bodySize(sizes) : Infinity, place));
      hasText ||= blocks.length > 0;
      yield* blocks;
      if (blocks.length === 0 && options.pdfVision) picture = await limits.draw(() => render(page));
      page.cleanup();
      if (limits.nextPage()) await document.cleanup();
    } catch (error) {
      limits.check();
      if (error instanceof DocumentError) throw error;
      // The other pages may be intact.
      failure = error;
    }
    if (picture === null) continue;
    for (const block of paragraphsOf(await options.describeImage(picture, "image/png"), place)) {
      hasText = true;
      yield block;
    }
  }
  if (hasText) return;
  if (failure !== undefined) throw damaged(failure);
  if (!options.pdfVision) {
    throw new DocumentError(
      "invalid_file",
      "The document has no text: its pages are images, or empty. With PDF_VISION=auto and a VISION_MODEL, " +
        "the service reads pages that are images.",
    );
  }
}

/** Groups the texts of a page by their direction, upright ones first, because a layout handles one direction. */
async function itemsOf(page: PDFPageProxy): Promise<TextItem[][]> {
  const [a = 1, b = 0, c = 0, d = -1, e = 0, f = 0] = page.getViewport({ scale: 1 }).transform;
  const scale = Math.hypot(a, b);
  const directions = new Map<number, TextItem[]>([[0, []]]);
  for await (const { items, styles } of contentOf(page)) {
    for (const item of items) {
      if (!("str" in item) || item.str === "") continue;
      const [ta = 1, tb = 0, tc = 0, td = 1, te = 0, tf = 0] = item.transform as number[];
      const vertical = styles[item.fontName]?.vertical === true;
      // The item's direction and place on the page as shown, which may be rotated.
      const angle = Math.atan2(b * ta + d * tb, a * ta + c * tb) + (vertical ? Math.PI / 2 : 0);
      const [x, y] = [a * te + c * tf + e, b * te + d * tf + f];
      const turned: TextItem = {
        text: textOf(item),
        x: x * Math.cos(angle) + y * Math.sin(angle),
        y: y * Math.cos(angle) - x * Math.sin(angle),
        width: (vertical ? item.height : item.width) * scale,
        size: Math.hypot(a * tc + c * td, b * tc + d * td),
      };
      if (![turned.x, turned.y, turned.width].every(Number.isFinite) || !(turned.size > 0)) continue;
      const degrees = Math.round((angle * 180) / Math.PI);
      const known = directions.get(degrees);
      if (known === undefined) directions.set(degrees, [turned]);
      else known.push(turned);
    }
  }
  return [...directions.values()];
}

/** Yields the texts of a page as they are found, and stops at a page with too many. */
async function* contentOf(page: PDFPageProxy): AsyncGenerator<TextContent> {
  const reader = (page.streamTextContent() as ReadableStream<TextContent>).getReader();
  let count = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    count += next.value.items.length;
    if (count > maxItems) {
      const error = tooLarge(`has a page with more than ${maxItems.toLocaleString("en")} pieces of text`);
      // Leaving a loop over the stream would cancel it without a reason, on which pdf.js fails.
      await reader.cancel(error);
      throw error;
    }
    yield next.value;
  }
}

/** Replaces what stands for the shape of a letter: Arabic presentation forms, and bullets in private-use ranges. */
const textOf = ({ str }: PdfItem): string =>
  clean(str)
    .replaceAll(/[\uFB50-\uFDFF\uFE70-\uFEFC]+/g, (shapes) => shapes.normalize("NFKC"))
    .replaceAll(/[\uF0A7\uF0B7]/g, "•")
    // eslint-disable-next-line no-control-regex -- glyphs without a meaning have such codes
    .replaceAll(/[\u0001-\u0008\u000E-\u001F\u007F-\u009F]/g, "");

/** Draws a page as a PNG; null if it is blank. */
async function render(page: PDFPageProxy): Promise<Uint8Array | null> {
  const { createCanvas } = await import("@napi-rs/canvas");
  const { width, height } = page.getViewport({ scale: 1 });
  const scale = Math.min(maxSide / Math.max(width, height), maxScale);
  const viewport = page.getViewport({ scale });
  const canvas = createCanvas(Math.max(1, Math.floor(viewport.width)), Math.max(1, Math.floor(viewport.height)));
  const context = canvas.getContext("2d");
  await page.render({ canvas: null, canvasContext: context, viewport }).promise;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return pixels.every((pixel) => pixel === pixels[0]) ? null : canvas.encode("png");
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await readFile(path);
  // pdf.js refuses a Buffer.
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function settings() {
  const root = dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"));
  const folder = (name: string) => `${join(root, name)}/`;
  return {
    // Without these, Chinese, Japanese and Korean texts in standard fonts and encodings are empty.
    cMapUrl: folder("cmaps"),
    cMapPacked: true,
    standardFontDataUrl: folder("standard_fonts"),
    // Decoders for JPEG 2000 and JBIG2, in which scans are often stored.
    wasmUrl: folder("wasm"),
    iccUrl: folder("iccs"),
    useSystemFonts: false,
    isEvalSupported: false,
    enableXfa: false,
    maxImageSize: 100_000_000,
    verbosity: 0,
  };
}

function refusal(cause: unknown): DocumentError {
  if (!(cause instanceof Error && cause.name === "PasswordException")) return damaged(cause);
  const message = "The PDF is protected with a password. Save it without one.";
  return new DocumentError("invalid_file", message, { cause });
}

const damaged = (cause: unknown) =>
  new DocumentError("invalid_file", "The PDF is damaged: it cannot be read. Save or export it again.", { cause });

const tooLarge = (what: string) => new DocumentError("invalid_file", `The PDF ${what}. Split it into several.`);
