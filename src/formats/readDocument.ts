import { rm, writeFile } from "node:fs/promises";
import { type Block, DocumentError } from "../words/document.js";
import { detect, type Format, formats, readable } from "./detect.js";
import { clean } from "./encoding.js";
import { shortName } from "./paragraphs.js";
import type { ReadFormat, ReadOptions, Source } from "./format.js";
import { errorCode } from "../words/errors.js";

/** Limits on documents inside a document: how deep, how many, and their bytes in all. */
const limits = { depth: 5, documents: 500, bytes: 256 * 2 ** 20 };

type Options = Pick<ReadOptions, "describeImage" | "pdfVision">;

/** Loaded when needed, because loading all parsers takes seconds. */
const readers: Record<Format, () => Promise<ReadFormat>> = {
  text: async () => (await import("./text.js")).readText,
  markdown: async () => (await import("./markdown.js")).readMarkdown,
  html: async () => (await import("./html.js")).readHtml,
  json: async () => (await import("./json.js")).readJson,
  csv: async () => (await import("./csv.js")).readCsv,
  xml: async () => (await import("./xml.js")).readXml,
  rtf: async () => (await import("./rtf.js")).readRtf,
  pdf: async () => (await import("./pdf.js")).readPdf,
  docx: async () => (await import("./docx.js")).readDocx,
  pptx: async () => (await import("./pptx.js")).readPptx,
  spreadsheet: async () => (await import("./spreadsheet.js")).readSpreadsheet,
  openDocument: async () => (await import("./openDocument.js")).readOpenDocument,
  epub: async () => (await import("./epub.js")).readEpub,
  image: async () => (await import("./image.js")).readImage,
  eml: async () => (await import("./eml.js")).readEml,
  msg: async () => (await import("./msg.js")).readMsg,
};

/**
 * Reads a document of any format, and the documents inside it, block by block. A document inside it that cannot be read
 * becomes a block that says why.
 * @throws DocumentError when the document itself cannot be read; what `describeImage` throws; errors of the machine,
 * such as a full disk
 */
export async function* readDocument(source: Source, options: Options): AsyncGenerator<Block> {
  /** Errors of the vision model, which must not be blamed on the document. */
  const passed = new Set<unknown>();
  const inner = { documents: 0, bytes: 0, isFull: false };

  const describeImage: ReadOptions["describeImage"] = async (image, mediaType) => {
    try {
      return await options.describeImage(image, mediaType);
    } catch (error) {
      passed.add(error);
      throw error;
    }
  };

  async function* read(from: Source, depth: number): AsyncGenerator<Block> {
    const format = await detect(from);
    const reader = await readers[format]();
    const readWithin: ReadOptions["readInner"] = (bytes, name) => readInner(bytes, oneLine(name), depth + 1);
    let isEmpty = true;
    try {
      for await (const block of reader(from, { ...options, describeImage, depth, readInner: readWithin })) {
        isEmpty = false;
        yield block;
      }
    } catch (error) {
      if (error instanceof DocumentError || passed.has(error) || isOurs(error)) throw error;
      throw unreadable(format, error);
    }
    if (isEmpty) throw new DocumentError("invalid_file", "The document has no text.");
  }

  async function* readInner(bytes: Uint8Array, name: string, depth: number): AsyncGenerator<Block> {
    if (inner.isFull) return;
    inner.documents += 1;
    inner.bytes += bytes.length;
    const path = `${source.path}.${inner.documents}`;
    const shown = shortName(name);
    try {
      if (depth > limits.depth) throw refused(`it is nested more than ${limits.depth} documents deep`);
      inner.isFull = inner.documents > limits.documents || inner.bytes > limits.bytes;
      if (inner.isFull) {
        const most = `${limits.documents} documents or ${limits.bytes / 2 ** 20} MB`;
        throw refused(`it and all after it exceed the limit of ${most} inside one document`);
      }
      await writeFile(path, bytes);
      let isFirst = true;
      for await (const block of read({ path, size: bytes.length, name }, depth)) {
        const { attachment } = block.place;
        const names = attachment === undefined ? shown : `${shown} > ${attachment}`;
        const apart = isFirst ? { before: "\n\n" } : {};
        isFirst = false;
        yield { ...block, ...apart, place: { ...block.place, attachment: names } };
      }
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      // Searches would find the list of formats that ends the message.
      const problem = error.message.replace(` ${readable}`, "");
      yield { kind: "text", text: `Attachment "${shown}": ${problem}`, place: { attachment: shown } };
    } finally {
      await rm(path, { force: true });
    }
  }

  yield* read(source, 0);
}

const oneLine = (name: string) => clean(name).replaceAll(/\s+/g, " ").trim();

const refused = (reason: string) => new DocumentError("invalid_file", `It is not read: ${reason}.`);

/**
 * Whether an error is the machine's, such as a full disk. Other system errors come from impossible positions in a
 * damaged file.
 */
function isOurs(error: unknown): boolean {
  const code = errorCode(error);
  return ["EACCES", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOENT", "ENOMEM", "ENOSPC"].some((ours) => ours === code);
}

const unreadable = (format: Format, cause: unknown) =>
  new DocumentError(
    "invalid_file",
    `The file is damaged or not what its name says: it could not be read as ${formats[format]}.`,
    { cause },
  );
