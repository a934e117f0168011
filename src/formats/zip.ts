import { open } from "node:fs/promises";
import type { Entry, ZipFile } from "yauzl";
import { DocumentError } from "../words/document.js";

/** Real documents stay far below; more than this in memory at once would stop the worker. */
const limits = { entries: 10_000, entryBytes: 128 * 2 ** 20, totalBytes: 300 * 2 ** 20 };

/** Magic number of OLE files: Office's formats before 2007, and the envelope of its encrypted documents since. */
const ole = Buffer.from("d0cf11e0a1b11ae1", "hex");

/** A zip whose entries were checked before any was read. Whoever opens it closes it. */
export interface Zip {
  names: ReadonlySet<string>;
  /** @throws DocumentError when there is no such entry, or it is damaged */
  read: (name: string) => Promise<Buffer>;
  /** As `read`, piece by piece. */
  stream: (name: string) => AsyncIterable<Buffer>;
  close: () => void;
}

/** @throws DocumentError when it is no zip, or a damaged, encrypted or dangerous one */
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

/** The first bytes of a file, fewer when it has not as many. */
export async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Whether a file begins as OLE files do. */
export function isOle(start: Buffer): boolean {
  return start.subarray(0, ole.length).equals(ole);
}

/** The error for a document that nobody can read without its password. */
export function encrypted(cause?: unknown): DocumentError {
  return new DocumentError(
    "invalid_file",
    "The document is encrypted with a password (or of an Office before 2007). Save it without one, in today's format.",
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
  /** Of all that was read: entries may lie over each other, and be read again and again. */
  let inflated = 0;

  async function* stream(name: string): AsyncGenerator<Buffer> {
    const entry = entries.get(name);
    if (entry === undefined) throw new DocumentError("invalid_file", `The document is damaged: it lacks ${name}.`);
    try {
      // The stream ends with an error when there is more or less in it than the directory says.
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
    const chunks: Buffer[] = [];
    for await (const chunk of stream(name)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  return {
    names: new Set(entries.keys()),
    read,
    stream,
    close: () => {
      file.close();
    },
  };
}

function tooManyBytes(): DocumentError {
  const [entry, total] = [limits.entryBytes, limits.totalBytes].map((bytes) => bytes / 2 ** 20);
  return tooLarge(`unpacks to more than ${total} MB, or one of its parts to more than ${entry} MB`);
}

function tooLarge(what: string): DocumentError {
  return new DocumentError("invalid_file", `The document is too large inside: it ${what}. Split it into several.`);
}

function damaged(cause: unknown): DocumentError {
  if (cause instanceof Error && cause.message.includes("encrypt")) return encrypted(cause);
  return new DocumentError("invalid_file", "The document is damaged: it cannot be unpacked. Save and send it anew.", {
    cause,
  });
}
