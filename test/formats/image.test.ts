import { describe, expect, test } from "@jest/globals";
import sharp, { type Metadata } from "sharp";
import type { Block } from "../../src/words/document.js";
import { readImage } from "../../src/formats/image.js";
import { withFile } from "./readBytes.js";

interface Seen extends Omit<Metadata, "mediaType"> {
  mediaType: string;
  /** The pixel in the upper left corner. */
  corner: number[];
}

/** The blocks of an image, and what the model saw. */
function read(bytes: Buffer, answer = "picture"): Promise<{ blocks: Block[]; seen: Seen[] }> {
  return withFile(bytes, async (path) => {
    const blocks: Block[] = [];
    const seen: Seen[] = [];
    const options = {
      describeImage: async (image: Uint8Array, mediaType: string) => {
        const pixel = await sharp(image).extract({ left: 0, top: 0, width: 1, height: 1 }).raw().toBuffer();
        seen.push({ ...(await sharp(image).metadata()), mediaType, corner: [...pixel] });
        return answer;
      },
      pdfVision: false,
      depth: 0,
      readInner: () => {
        throw new Error("There is nothing within a picture.");
      },
    };
    for await (const block of readImage({ path, size: bytes.length, name: "a" }, options)) blocks.push(block);
    return { blocks, seen };
  });
}

const picture = (width: number, height: number, background = "red") =>
  sharp({ create: { width, height, channels: 3, background } });

/** A GIF that claims to be this large. */
async function hugeGif(): Promise<Buffer> {
  const bytes = await picture(1, 1).gif().toBuffer();
  const frame = bytes.indexOf(Buffer.from("2c00000000", "hex"));
  for (const at of [6, 8, frame + 5, frame + 7]) bytes.writeUInt16LE(65_535, at);
  return bytes;
}

describe("the model sees", () => {
  test.each(["png", "gif", "jpeg", "webp", "tiff"] as const)("a %s", async (format) => {
    const { blocks, seen } = await read(await picture(40, 30).toFormat(format).toBuffer());
    const type = format === "png" || format === "gif" ? "png" : "jpeg";
    expect(seen).toMatchObject([{ width: 40, height: 30, format: type, mediaType: `image/${type}`, space: "srgb" }]);
    expect(blocks).toEqual([{ kind: "text", text: "picture", place: {} }]);
  });

  test("large images scaled down", async () => {
    const { seen } = await read(await picture(5_000, 1_000).png().toBuffer());
    expect(seen).toMatchObject([{ width: 2_048, height: 410, mediaType: "image/jpeg" }]);
  });

  test("photographs in upright orientation", async () => {
    const bytes = await picture(40, 30).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect((await read(bytes)).seen).toMatchObject([{ width: 30, height: 40 }]);
  });

  test("white instead of transparency", async () => {
    const clear = sharp({ create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } });
    expect((await read(await clear.png().toBuffer())).seen[0]?.corner).toEqual([255, 255, 255]);
  });

  test("print colours as screen colours", async () => {
    const bytes = await picture(8, 8, "white").toColourspace("cmyk").jpeg().toBuffer();
    const { seen } = await read(bytes);
    expect(seen[0]?.channels).toBe(3);
    expect(Math.min(...(seen[0]?.corner ?? [0]))).toBeGreaterThan(240);
  });

  test("each page of a TIFF", async () => {
    const pages = await Promise.all(["red", "lime"].map((colour) => picture(10, 10, colour).png().toBuffer()));
    const { blocks, seen } = await read(
      await sharp(pages, { join: { animated: true } })
        .tiff()
        .toBuffer(),
    );
    expect(seen).toHaveLength(2);
    expect(seen[0]?.corner[0]).toBeGreaterThan(200);
    expect(seen[1]?.corner[1]).toBeGreaterThan(200);
    expect(blocks.map(({ place }) => place)).toEqual([{ page: 1 }, { page: 2 }]);
  });

  test("the first frame of an animation", async () => {
    const frames = await Promise.all(["red", "lime"].map((colour) => picture(10, 10, colour).png().toBuffer()));
    const { seen } = await read(
      await sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer(),
    );
    expect(seen).toMatchObject([{ width: 10, height: 10 }]);
  });
});

test("the model's answer is split at blank lines", async () => {
  const { blocks } = await read(await picture(4, 4).png().toBuffer(), "One\nline.\n\n \nTwo.\u0000\n");
  expect(blocks.map(({ text }) => text)).toEqual(["One\nline.", "Two."]);
});

describe("is refused", () => {
  const refusal = (bytes: Buffer) => expect(read(bytes)).rejects;

  test("a broken image", async () => {
    const noise = Buffer.from(Array.from({ length: 100 * 100 * 3 }, (_, i) => (i * 7919) % 251));
    const jpeg = await sharp(noise, { raw: { width: 100, height: 100, channels: 3 } })
      .jpeg()
      .toBuffer();
    for (const bytes of [Buffer.from("\x89PNG\r\n\x1a\nnothing", "latin1"), jpeg.subarray(0, jpeg.length / 2)]) {
      await refusal(bytes).toMatchObject({
        code: "invalid_file",
        message: expect.stringContaining("damaged") as unknown,
      });
    }
  });

  test("an image that is too large when unpacked", async () => {
    await refusal(await hugeGif()).toMatchObject({
      message: "The image has more than 100 megapixels. Make it smaller.",
    });
  });

  test("a TIFF with too many pages", async () => {
    const page = await picture(2, 2).png().toBuffer();
    const bytes = await sharp(new Array<Buffer>(101).fill(page), { join: { animated: true } })
      .tiff()
      .toBuffer();
    await refusal(bytes).toMatchObject({ message: "The image has more than 100 pages. Make it smaller." });
  });
});
