import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import {
  type DocumentReader,
  type ReaderLimits,
  createDocumentReader,
  defaultLimits,
} from "../../src/reading/documentReader.js";
import { DocumentError, type TextChunk } from "../../src/words/document.js";
import { type PlayedThread, type PlayedThreads, playThreads } from "./playedThread.js";

/** The tests set the reader's clock, so that results do not depend on a thread's speed. */

let threads: PlayedThreads;
let reader: DocumentReader;
let timers: jest.SpiedFunction<typeof setTimeout>;
beforeEach(async () => {
  threads = await playThreads();
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "performance"] });
  timers = jest.spyOn(globalThis, "setTimeout");
});
afterEach(async () => {
  jest.useRealTimers();
  await reader.close();
  await threads.close();
});

function read(size = 0): Promise<TextChunk[] | Error> {
  const reading = reader.read(
    { path: "/nowhere", size, name: "x.txt" },
    {
      cutting: { by: "characters", size: 100, overlap: 0 },
      pdfVision: false,
      describe: () => Promise.resolve(""),
      signal: new AbortController().signal,
    },
  );
  const all = async () => {
    const chunks: TextChunk[] = [];
    for await (const chunk of reading) chunks.push(chunk);
    return chunks;
  };
  return all().catch((error: unknown) => error as Error);
}

const useReader = (limits: Partial<ReaderLimits>) => {
  reader = createDocumentReader(threads.script, { ...defaultLimits, ...limits });
};

/** Lets the reader receive a message after which it waits for the next one. */
async function untilHeard(act: () => void): Promise<void> {
  const before = timers.mock.calls.length;
  act();
  while (timers.mock.calls.length === before) await new Promise(setImmediate);
}

async function readWhole(heapBytes = 0): Promise<PlayedThread> {
  const started = threads.started();
  const reading = read();
  const thread = await threads.next();
  expect(threads.started()).toBe(started + 1);
  await thread.heard();
  thread.say({ kind: "end", chunks: [], heapBytes });
  expect(await reading).toEqual([]);
  return thread;
}

/** Reads another document in the same thread. */
async function readAgain(thread: PlayedThread): Promise<void> {
  const reading = read();
  expect((await thread.heard()).kind).toBe("read");
  thread.say({ kind: "end", chunks: [], heapBytes: 0 });
  expect(await reading).toEqual([]);
}

describe("a silent thread", () => {
  test("is ended after its time limit", async () => {
    useReader({ silenceMs: 1000 });
    const reading = read();
    const thread = await threads.next();
    await thread.heard();
    jest.advanceTimersByTime(999);
    await untilHeard(() => {
      thread.say({ kind: "alive" });
    });
    jest.advanceTimersByTime(999);
    await untilHeard(() => {
      thread.say({ kind: "alive" });
    });
    jest.advanceTimersByTime(1000);
    const error = await reading;
    expect(error).toBeInstanceOf(DocumentError);
    expect(error).toMatchObject({ code: "invalid_file", message: expect.stringMatching(/takes too long/) });
    await thread.ended;
  });

  test("gets half a second more per megabyte of the document", async () => {
    useReader({ silenceMs: 1000 });
    const reading = read(10_000_000);
    const thread = await threads.next();
    await thread.heard();
    jest.advanceTimersByTime(5999);
    await untilHeard(() => {
      thread.say({ kind: "alive" });
    });
    jest.advanceTimersByTime(6000);
    expect(await reading).toBeInstanceOf(DocumentError);
  });

  test("may wait as long as its chunks are being used", async () => {
    useReader({ silenceMs: 1000 });
    const source = { path: "/nowhere", size: 0, name: "x" };
    const reading = reader
      .read(source, {
        cutting: { by: "characters", size: 100, overlap: 0 },
        pdfVision: false,
        describe: () => Promise.resolve(""),
        signal: new AbortController().signal,
      })
      [Symbol.asyncIterator]();
    const first = reading.next();
    const thread = await threads.next();
    await thread.heard();
    thread.say({ kind: "chunks", chunks: [{ text: "a", place: {} }] });
    expect((await first).value).toEqual({ text: "a", place: {} });
    jest.advanceTimersByTime(100_000);
    const end = reading.next();
    expect(await thread.heard()).toEqual({ kind: "more" });
    thread.say({ kind: "end", chunks: [], heapBytes: 0 });
    expect((await end).done).toBe(true);
  });
});

describe("a thread that has read a document", () => {
  test("reads the next one", async () => {
    useReader({});
    const thread = await readWhole();
    await readAgain(thread);
    await readAgain(thread);
    expect(threads.started()).toBe(1);
  });

  test("is ended if it keeps too much memory", async () => {
    useReader({ keptHeapBytes: 1000 });
    const thread = await readWhole(999);
    await readAgain(thread);
    const reading = read();
    await thread.heard();
    thread.say({ kind: "end", chunks: [], heapBytes: 1000 });
    expect(await reading).toEqual([]);
    await thread.ended;
    await readWhole();
  });

  test("is ended after its idle time, which restarts with each document", async () => {
    useReader({ idleMs: 5000 });
    const thread = await readWhole();
    jest.advanceTimersByTime(4999);
    await readAgain(thread);
    jest.advanceTimersByTime(4999);
    await readAgain(thread);
    jest.advanceTimersByTime(5000);
    await thread.ended;
    await readWhole();
  });

  test.each(["throw", "exit"] as const)("that dies while idle (%s) is not reused", async (kind) => {
    useReader({});
    const thread = await readWhole();
    thread.say({ kind });
    await thread.ended;
    // Once the reader has noticed, the idle timer is stopped.
    while (jest.getTimerCount() > 0) await new Promise(setImmediate);
    await readWhole();
  });

  test("is ended when the reader closes", async () => {
    useReader({});
    const thread = await readWhole();
    await reader.close();
    await thread.ended;
  });
});
