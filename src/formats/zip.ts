import { open } from "node:fs/promises";
import type { Entry, ZipFile } from "yauzl";
import { DocumentError } from "../words/document.js";
import { type Hold, holder } from "./held.js";

/** Real documents stay far below. More in memory at once would exceed the heap of a reading thread. */
const limits = {
  entries: 10_000,
  entryBytes: 128 * 2 ** 20,
  totalBytes: 300 * 2 ** 20,
  /** Of an entry that is held in memory as a whole; more if the zip is large: a small one must not fill the memory. */
  bytesAtOnce: 32 * 2 ** 20,
  ratioAtOnce: 30,
};

/** Signature of OLE files: the formats of Office before 2007, and the envelope of encrypted documents since. */
const ole = Buffer.from("d0cf11e0a1b11ae1", "hex");

/** A zip whose entries were checked before any was read. The caller closes it. */
export interface Zip {
  names: ReadonlySet<string>;
  /** Unpacks an entry. @throws DocumentError when it is missing, damaged or too large */
  read: (name: string) => Promise<Buffer>;
  /** As `read`, but piece by piece. */
  stream: (name: string) => AsyncIterable<Buffer>;
  /** A new count of the text that its reader collects from its entries; `each` as in `holder`. */
  holder: (each?: number) => Hold;
  close: () => void;
}

/**
 * Opens a zip and checks its directory against the limits: 10,000 entries, 128 MB per entry, 300 MB in all.
 * @throws DocumentError when it is not a zip, damaged, encrypted or above a limit
 */
export async function openZip(path: string): Promise<Zip> {
  const start = await firstBytes(path, ole.length);
  if (start.length === 0) throw new DocumentError("invalid_file", "The file is empty.");
  if (isOle(start)) throw encrypted();
  const { openPromise } = await import("yauzl");
  const file = await openPromise(path, { autoClose: false }).catch((cause: unknown) => {
    throw damaged(cause);
  });
  try {
    return readable(file, await checkedEntries(file));
  } catch (error) {
    file.close();
    throw error instanceof DocumentError ? error : damaged(error);
  }
}

/** The first bytes of a file; fewer if the file is shorter. */
export async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Whether a file begins like an OLE file. */
export function isOle(start: Buffer): boolean {
  return start.subarray(0, ole.length).equals(ole);
}

/** The error for a document that needs a password. */
export function encrypted(cause?: unknown): DocumentError {
  return new DocumentError(
    "invalid_file",
    "The document is encrypted with a password, or from Office before 2007. Save it without a password in a current format.",
    { cause },
  );
}

async function checkedEntries(file: ZipFile): Promise<Map<string, Entry>> {
  if (file.entryCount > limits.entries) throw tooLarge(`has more than ${limits.entries.toLocaleString("en")} parts`);
  const entries = new Map<string, Entry>();
  let total = 0;
  for await (const entry of file.eachEntry()) {
    if (entry.isEncrypted()) throw encrypted();
    total += entry.uncompressedSize;
    if (entry.uncompressedSize > limits.entryBytes || total > limits.totalBytes) throw tooManyBytes();
    if (!entry.fileName.endsWith("/")) entries.set(entry.fileName, entry);
  }
  return entries;
}

function readable(file: ZipFile, entries: ReadonlyMap<string, Entry>): Zip {
  /** Bytes unpacked in all: entries may overlap, and may be read more than once. */
  let inflated = 0;
  const mostAtOnce = Math.max(limits.bytesAtOnce, limits.ratioAtOnce * file.fileSize);

  async function* stream(name: string): AsyncGenerator<Buffer> {
    const entry = entries.get(name);
    if (entry === undefined) throw new DocumentError("invalid_file", `The document is damaged: it lacks ${name}.`);
    try {
      // The stream fails when the entry has more or fewer bytes than the directory says.
      const bytes: AsyncIterable<Buffer> = await file.openReadStreamPromise(entry);
      for await (const chunk of bytes) {
        inflated += chunk.length;
        if (inflated > limits.totalBytes) throw tooManyBytes();
        yield chunk;
      }
    } catch (error) {
      throw error instanceof DocumentError ? error : damaged(error);
    }
  }

  async function read(name: string): Promise<Buffer> {
    if ((entries.get(name)?.uncompressedSize ?? 0) > mostAtOnce) throw tooManyAtOnce(mostAtOnce);
    const chunks: Buffer[] = [];
    for await (const chunk of stream(name)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  return {
    names: new Set(entries.keys()),
    read,
    stream,
    holder: (each) => holder(file.fileSize, each),
    close: () => {
      file.close();
    },
  };
}

function tooManyBytes(): DocumentError {
  const [entry, total] = [limits.entryBytes, limits.totalBytes].map((bytes) => bytes / 2 ** 20);
  return tooLarge(`unpacks to more than ${total} MB, or one of its parts to more than ${entry} MB`);
}

function tooManyAtOnce(most: number): DocumentError {
  return tooLarge(
    `has a part that unpacks to more than ${Math.round(most / 2 ** 20)} MB, which is too much for its size`,
  );
}

function tooLarge(what: string): DocumentError {
  return new DocumentError("invalid_file", `The document is too large inside: it ${what}. Split it into several.`);
}

function damaged(cause: unknown): DocumentError {
  if (cause instanceof Error && cause.message.includes("encrypt")) return encrypted(cause);
  return new DocumentError(
    "invalid_file",
    "The document is damaged: it cannot be unpacked. Save it again and resend it.",
    {
      cause,
    },
  );
}
