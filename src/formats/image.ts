import { type Block, DocumentError } from "../words/document.js";
import type { ReadOptions, Source } from "./format.js";
import { paragraphsOf } from "./paragraphs.js";

/** Larger ones are hardly pictures of text; this many take 400 MB when unpacked. */
const maxPixels = 100_000_000;
const maxPages = 100;
/** What vision models look at. */
const maxSide = 2_048;
/** Up to here a screenshot stays a PNG, whose letters are sharp. */
const maxPngPixels = 1_000_000;

/** Asks the vision model for the text of a picture, page by page when it is a TIFF. */
export async function* readImage(source: Source, options: ReadOptions): AsyncGenerator<Block> {
  const { default: sharp } = await import("sharp");
  // Kept by path, and our paths are used again.
  sharp.cache(false);
  const { width, height, format, pages } = await sharp(source.path, { limitInputPixels: false })
    .metadata()
    .catch(refuse);
  if (width * height > maxPixels) throw tooLarge(`more than ${maxPixels / 1_000_000} megapixels`);
  // The pages of a GIF or WebP are the pictures of an animation, of which the first will do.
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
  const message = "The picture is damaged: it cannot be read. Save it anew, as PNG or JPEG.";
  throw new DocumentError("invalid_file", message, { cause });
}

const tooLarge = (what: string) => new DocumentError("invalid_file", `The picture has ${what}. Make it smaller.`);
