import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DocumentReader, createDocumentReader, defaultLimits } from "../../src/reading/documentReader.js";
import { DocumentError, type TextChunk } from "../../src/words/document.js";
import { makeZip } from "../formats/makeZip.js";
import { readingThread } from "../support/program.js";

/** The compiled thread with its parsers. */
let reader: DocumentReader;
let directory: string;
beforeAll(async () => {
  reader = createDocumentReader(await readingThread(), defaultLimits);
  directory = mkdtempSync(join(tmpdir(), "vector-store-reading-"));
});
afterAll(async () => {
  await reader.close();
  rmSync(directory, { recursive: true });
});

function read(name: string, bytes: Buffer | string, size = 100): AsyncIterable<TextChunk> {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return reader.read(
    { path, size: Buffer.byteLength(bytes), name },
    {
      cutting: { by: "characters", size, overlap: 0 },
      pdfVision: false,
      describe: () => Promise.reject(new Error("no picture expected")),
      signal: new AbortController().signal,
    },
  );
}

async function allOf(chunks: AsyncIterable<TextChunk>): Promise<TextChunk[]> {
  const all: TextChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

const textOf = (chunks: readonly TextChunk[]) => chunks.map(({ text }) => text).join("");

test("a document is read and chunked", async () => {
  expect(await allOf(read("a.md", "# Hours\n\nWe open at nine.\n\n# Address\n\nMain street 5.\n", 40))).toEqual([
    { text: "Hours\n\nWe open at nine.\n\n", place: { section: "Hours" } },
    { text: "Address\n\nMain street 5.", place: { section: "Address" } },
  ]);
});

test("a long document keeps its order over many messages", async () => {
  const text = Array.from({ length: 3000 }, (_, i) => `paragraph ${i}`).join("\n\n");
  const chunks = await allOf(read("long.txt", text, 20));
  expect(chunks.length).toBeGreaterThan(1000);
  expect(textOf(chunks)).toBe(text);
});

test("concurrent documents do not mix", async () => {
  const texts = ["a", "b", "c"].map((letter) => Array.from({ length: 300 }, (_, i) => `${letter} ${i}`).join(" "));
  const chunks = await Promise.all(texts.map((text, i) => allOf(read(`${i}.txt`, text, 8))));
  expect(chunks.map(textOf)).toEqual(texts);
});

test.each([
  ["broken.docx", makeZip({ "word/document.xml": "<w:document" }), "invalid_file"],
  ["empty.txt", "", "invalid_file"],
  ["program.exe", Buffer.from("MZ\u0090\0\u0003\0\0\0\u0004\0\0\0ÿÿ\0\0", "latin1"), "unsupported_file"],
] as const)("%s is refused with a reason, and the next document is read", async (name, bytes, code) => {
  const failed = allOf(read(name, bytes));
  await expect(failed).rejects.toBeInstanceOf(DocumentError);
  await expect(failed).rejects.toMatchObject({ code });
  expect(await allOf(read("fine.txt", "fine"))).toEqual([{ text: "fine", place: {} }]);
});

test("a missing file is the service's error, not the document's", async () => {
  const path = join(directory, "gone.txt");
  const failed = allOf(
    reader.read(
      { path, size: 1, name: "gone.txt" },
      {
        cutting: { by: "tokens", size: 100, overlap: 0 },
        pdfVision: false,
        describe: () => Promise.resolve(""),
        signal: new AbortController().signal,
      },
    ),
  );
  await expect(failed).rejects.toThrow(/a document could not be read: .*ENOENT/);
  await expect(failed).rejects.not.toBeInstanceOf(DocumentError);
});
