import { type Block, DocumentError } from "../words/document.js";
import type { ReadOptions, Source } from "./format.js";
import { paragraphsOf } from "./paragraphs.js";

/** An image with more pixels is hardly an image of text; this many take 400 MB when unpacked. */
const maxPixels = 100_000_000;
const maxPages = 100;
/** Vision models see no more than this per side. */
const maxSide = 2_048;
/** A screenshot with at most this many pixels stays a PNG, which keeps letters sharp. */
const maxPngPixels = 1_000_000;

/**
 * Asks the vision model for the text of an image; page by page for a TIFF.
 * @throws DocumentError when the image is damaged or too large; what the model call throws
 */
export async function* readImage(source: Source, options: ReadOptions): AsyncGenerator<Block> {
  const { default: sharp } = await import("sharp");
  // Its cache is keyed by path, and paths are reused here.
  sharp.cache(false);
  const { width, height, format, pages } = await sharp(source.path, { limitInputPixels: false })
    .metadata()
    .catch(refuse);
  if (width * height > maxPixels) throw tooLarge(`more than ${maxPixels / 1_000_000} megapixels`);
  // The pages of a GIF or WebP are frames of an animation; the first one is enough.
  const count = format === "tiff" ? (pages ?? 1) : 1;
  if (count > maxPages) throw tooLarge(`more than ${maxPages} pages`);
  const asPng = (format === "png" || format === "gif") && width * height <= maxPngPixels;
  for (let page = 0; page < count; page += 1) {
    const picture = sharp(source.path, { page, limitInputPixels: maxPixels, failOn: "error" })
      .autoOrient()
      .resize(maxSide, maxSide, { fit: "inside", withoutEnlargement: true })
      .flatten({ background: "white" })
      .toColourspace("srgb");
    const bytes = await (asPng ? picture.png() : picture.jpeg({ quality: 85 })).toBuffer().catch(refuse);
    const description = await options.describeImage(bytes, asPng ? "image/png" : "image/jpeg");
    yield* paragraphsOf(description, count > 1 ? { page: page + 1 } : {});
  }
}

function refuse(cause: unknown): never {
  const message = "The image is damaged: it cannot be read. Save it again as PNG or JPEG.";
  throw new DocumentError("invalid_file", message, { cause });
}

const tooLarge = (what: string) => new DocumentError("invalid_file", `The image has ${what}. Make it smaller.`);
