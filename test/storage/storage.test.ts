import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createHash } from "node:crypto";
import type { Content, Storage } from "../../src/storage/storage.js";
import { type TestStorages, inParts, megabyte, openStorages, patternOf, readAll } from "./support.js";

let storages: TestStorages;
const written: { storage: Storage; content: Content }[] = [];
beforeAll(async () => {
  storages = await openStorages();
});
afterEach(async () => {
  for (const { storage, content } of written.splice(0)) await storage.remove(content);
  expect(await storages.everything()).toEqual({ slices: [], files: [] });
});
afterAll(() => storages.close());

async function write(storage: Storage, bytes: Buffer, sizes: readonly number[] = [bytes.length]) {
  const content = await storage.write(inParts(bytes, sizes));
  written.push({ storage, content });
  return content;
}

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest();

describe.each(["inDatabase", "inDirectory"] as const)("storage %s", (place) => {
  const storage = () => storages[place];

  test.each([0, 1, megabyte - 1, megabyte, megabyte + 1, 2 * megabyte, 3 * megabyte + 7])(
    "%i bytes come back, with their number and SHA-256",
    async (length) => {
      const bytes = patternOf(length);
      const content = await write(storage(), bytes, [100_003]);
      expect(content).toMatchObject({ bytes: length, inDirectory: place === "inDirectory" });
      expect(content.contentHash.equals(sha256(bytes))).toBe(true);
      expect((await readAll(storage().read(content))).equals(bytes)).toBe(true);
    },
  );

  test("bytes come back whatever their parts are", async () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(megabyte, 2 * megabyte)), {
      minLength: 1,
      maxLength: 6,
    });
    const length = fc.oneof(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: -2, max: 2 }).map((more) => megabyte + more),
      fc.integer({ min: -2, max: 2 }).map((more) => 2 * megabyte + more),
    );
    await fc.assert(
      fc.asyncProperty(length, sizes, async (length, sizes) => {
        const bytes = patternOf(length);
        // Never byte by byte, which would take long for a megabyte.
        const content = await write(storage(), bytes, length > 5000 ? sizes.map((size) => size + 10_000) : sizes);
        expect(content.contentHash.equals(sha256(bytes))).toBe(true);
        expect((await readAll(storage().read(content))).equals(bytes)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  test("many at once stay apart, and can be read while others are written", async () => {
    const first = await write(storage(), patternOf(2 * megabyte + 1));
    const contents = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const bytes = Buffer.alloc(megabyte + i, i);
        const [content, read] = await Promise.all([
          write(storage(), bytes, [70_000 + i]),
          readAll(storage().read(first)),
        ]);
        expect(read.equals(patternOf(2 * megabyte + 1))).toBe(true);
        return { content, bytes };
      }),
    );
    expect(new Set(contents.map(({ content }) => content.content)).size).toBe(6);
    for (const { content, bytes } of contents) {
      expect((await readAll(storage().read(content))).equals(bytes)).toBe(true);
    }
  });

  test.each([0, 1, megabyte, 2 * megabyte + 5])(
    "a write that fails after %i bytes leaves nothing, and throws the failure",
    async (length) => {
      const failure = new Error("the sender left");
      await expect(storage().write(inParts(patternOf(length), [65_536], failure))).rejects.toBe(failure);
      expect(await storages.everything()).toEqual({ slices: [], files: [] });
    },
  );

  test("removing twice does nothing more, and leaves other contents", async () => {
    const bytes = patternOf(megabyte + 1);
    const [one, other] = [await write(storage(), bytes), await write(storage(), bytes)];
    await storage().remove(one);
    await storage().remove(one);
    expect((await readAll(storage().read(other))).equals(bytes)).toBe(true);
    await storage().remove({ content: "00000000-0000-0000-0000-000000000000", inDirectory: one.inDirectory });
  });

  test("a reader may stop early", async () => {
    const content = await write(storage(), patternOf(3 * megabyte));
    for await (const part of storage().read(content)) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    expect((await readAll(storage().read(content))).length).toBe(3 * megabyte);
  });
});

describe("contents in the other place", () => {
  test("are read and removed by a storage with a directory", async () => {
    const bytes = patternOf(megabyte + 1);
    const content = await write(storages.inDatabase, bytes);
    expect((await readAll(storages.inDirectory.read(content))).equals(bytes)).toBe(true);
    await storages.inDirectory.remove(content);
    expect((await storages.everything()).slices).toEqual([]);
  });

  test("need FILES_DIR if they are there", async () => {
    const content = await write(storages.inDirectory, patternOf(10));
    expect(() => storages.inDatabase.read(content)).toThrow(/FILES_DIR\), which is not set here/);
    expect(() => storages.inDatabase.remove(content)).toThrow(/FILES_DIR\), which is not set here/);
  });
});
