import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  type DocumentReader,
  type ReaderLimits,
  type ReadingOptions,
  createDocumentReader,
  defaultLimits,
} from "../../src/reading/documentReader.js";
import { allowanceOf } from "../../src/reading/allowance.js";
import { DocumentError, type TextChunk } from "../../src/words/document.js";
import { type Order, type PlayedThreads, playThreads } from "./playedThread.js";

const source = { path: "/nowhere", size: 0, name: "x.txt" };
const chunk = (text: string): TextChunk => ({ text, place: {} });

let threads: PlayedThreads;
let readers: DocumentReader[];
beforeEach(async () => {
  threads = await playThreads();
  readers = [];
});
afterEach(async () => {
  await Promise.all(readers.map((reader) => reader.close()));
  await threads.close();
});

function createReader(limits: Partial<ReaderLimits> = {}) {
  const reader = createDocumentReader(threads.script, { ...defaultLimits, ...limits });
  readers.push(reader);
  const read = (options: Partial<ReadingOptions> = {}) =>
    reader
      .read(source, {
        cutting: { by: "characters", size: 100, overlap: 0 },
        pdfVision: false,
        describe: () => Promise.reject(new Error("no picture expected")),
        signal: new AbortController().signal,
        ...options,
      })
      [Symbol.asyncIterator]();
  return { reader, read };
}

/** All remaining chunks. */
async function restOf(reading: AsyncIterator<TextChunk>): Promise<string[]> {
  const texts: string[] = [];
  for (let next = await reading.next(); next.done !== true; next = await reading.next()) texts.push(next.value.text);
  return texts;
}

describe("reading", () => {
  test("returns the chunks in order, and requests more once they are consumed", async () => {
    const { read } = createReader();
    const reading = read();
    const first = reading.next();
    const thread = await threads.next();
    expect(await thread.heard()).toEqual({
      kind: "read",
      source,
      cutting: { by: "characters", size: 100, overlap: 0 },
      pdfVision: false,
      allowance: allowanceOf(0, defaultLimits.allowance),
    });
    thread.say({ kind: "chunks", chunks: [chunk("a"), chunk("b")] });
    expect(await first).toEqual({ done: false, value: chunk("a") });
    expect(await reading.next()).toEqual({ done: false, value: chunk("b") });
    let more = false;
    const heard = thread.heard().then((message) => {
      more = true;
      return message;
    });
    // Meanwhile, another thread reads a whole document.
    const other = restOf(read());
    (await threads.next()).say({ kind: "end", chunks: [], heapBytes: 0 });
    expect(await other).toEqual([]);
    expect(more).toBe(false);
    const rest = restOf(reading);
    expect(await heard).toEqual({ kind: "more" });
    thread.say({ kind: "end", chunks: [chunk("c")], heapBytes: 0 });
    expect(await rest).toEqual(["c"]);
  });

  test("concurrent documents have a thread each", async () => {
    const { read } = createReader();
    const readings = [restOf(read()), restOf(read()), restOf(read())];
    const three = [await threads.next(), await threads.next(), await threads.next()];
    for (const thread of three) await thread.heard();
    for (const [i, thread] of three.entries()) thread.say({ kind: "end", chunks: [chunk(`of ${i}`)], heapBytes: 0 });
    expect((await Promise.all(readings)).flat().sort()).toEqual(["of 0", "of 1", "of 2"]);
    expect(threads.started()).toBe(3);
  });

  test("pictures are described in the main thread", async () => {
    const described: unknown[] = [];
    const { read } = createReader();
    const reading = restOf(
      read({
        describe: (image, mediaType) => {
          described.push([Array.from(image), mediaType]);
          return Promise.resolve("a cat");
        },
      }),
    );
    const thread = await threads.next();
    await thread.heard();
    thread.say({ kind: "describe", image: new Uint8Array(), mediaType: "image/png" });
    expect(await thread.heard()).toEqual({ kind: "described", text: "a cat" });
    thread.say({ kind: "end", chunks: [], heapBytes: 0 });
    await reading;
    expect(described).toEqual([[[1, 2], "image/png"]]);
  });

  test("a description that fails ends the reading with its error", async () => {
    const away = new Error("the model is away");
    const { read } = createReader();
    const reading = restOf(read({ describe: () => Promise.reject(away) }));
    const failed = reading.catch((error: unknown) => error);
    const thread = await threads.next();
    await thread.heard();
    thread.say({ kind: "describe", image: new Uint8Array(), mediaType: "image/jpeg" });
    expect(await thread.heard()).toEqual({ kind: "described", text: null });
    thread.say({ kind: "undescribed" });
    expect(await failed).toBe(away);
    await thread.ended;
  });
});

describe("a document that cannot be read", () => {
  /** Starts reading and has the thread do something. @returns the error */
  async function failure(order: Order, limits: Partial<ReaderLimits> = {}) {
    const { read } = createReader(limits);
    const failed = restOf(read()).catch((error: unknown) => error);
    const thread = await threads.next();
    await thread.heard();
    thread.say(order);
    const error = await failed;
    await thread.ended;
    // A new thread reads the next document.
    const next = restOf(read());
    const fresh = await threads.next();
    fresh.say({ kind: "end", chunks: [chunk("fine")], heapBytes: 0 });
    expect(await next).toEqual(["fine"]);
    return error;
  }

  test("because a parser refuses it", async () => {
    const error = await failure({ kind: "failed", code: "unsupported_file", message: "is a program" });
    expect(error).toBeInstanceOf(DocumentError);
    expect(error).toMatchObject({ code: "unsupported_file", message: "is a program" });
  });

  test("because of a bug in a parser", async () => {
    const error = await failure({ kind: "broken", error: "TypeError: x", code: null });
    expect(error).not.toBeInstanceOf(DocumentError);
    expect(error).toMatchObject({ message: "a document could not be read: TypeError: x" });
  });

  test("because the thread throws", async () => {
    expect(String(await failure({ kind: "throw" }))).toMatch(/the parser has a fault/);
  });

  test("and the thread does not get the server's settings or keys", async () => {
    expect(Object.keys(process.env)).not.toEqual([]);
    expect(String(await failure({ kind: "environment" }))).toMatch(/environment: \{\}$/);
  });

  test("because the thread exits", async () => {
    expect(await failure({ kind: "exit" })).toMatchObject({ message: "the reading thread ended" });
  });

  test("because it takes more memory than allowed", async () => {
    const error = await failure({ kind: "grow" }, { heapMb: 24 });
    expect(error).toBeInstanceOf(DocumentError);
    expect(error).toMatchObject({
      code: "invalid_file",
      message: expect.stringMatching(/more memory than is allowed/),
    });
  });
});

describe("a reading that is stopped", () => {
  test("by its signal, while the thread works", async () => {
    const { read } = createReader();
    const abort = new AbortController();
    const failed = restOf(read({ signal: abort.signal })).catch((error: unknown) => error);
    const thread = await threads.next();
    await thread.heard();
    abort.abort(new Error("given up"));
    expect(await failed).toMatchObject({ message: "given up" });
    await thread.ended;
  });

  test("by its signal, while its chunks are used", async () => {
    const { read } = createReader();
    const abort = new AbortController();
    const reading = read({ signal: abort.signal });
    const first = reading.next();
    const thread = await threads.next();
    thread.say({ kind: "chunks", chunks: [chunk("a")] });
    expect(await first).toMatchObject({ value: chunk("a") });
    abort.abort(new Error("given up"));
    await expect(reading.next()).rejects.toThrow("given up");
    await thread.ended;
  });

  test("by its signal, before it begins", async () => {
    const { read } = createReader();
    await expect(read({ signal: AbortSignal.abort(new Error("given up")) }).next()).rejects.toThrow("given up");
    const reading = restOf(read());
    for (;;) {
      const thread = await threads.next();
      thread.say({ kind: "end", chunks: [], heapBytes: 0 });
      if (await Promise.race([reading.then(() => true), thread.ended.then(() => false)])) break;
    }
  });

  test("by a consumer that ends the loop", async () => {
    const { read } = createReader();
    const reading = read();
    const first = reading.next();
    const thread = await threads.next();
    thread.say({ kind: "chunks", chunks: [chunk("a"), chunk("b")] });
    await first;
    await reading.return?.();
    await thread.ended;
  });

  test("by closing the reader", async () => {
    const { reader, read } = createReader();
    const failed = Promise.all([1, 2].map(() => restOf(read()).catch((error: unknown) => error)));
    const two = [await threads.next(), await threads.next()];
    for (const thread of two) await thread.heard();
    await reader.close();
    expect(await failed).toEqual([1, 2].map(() => expect.objectContaining({ message: "the reading thread ended" })));
    for (const thread of two) await thread.ended;
  });
});
