import { Worker } from "node:worker_threads";
import { type Cutting, DocumentError, type TextChunk } from "../words/document.js";
import { diskError } from "../words/errors.js";
import type { Source } from "../formats/format.js";
import { type AllowanceSettings, allowanceOf } from "./allowance.js";
import type { FromThread, ToThread } from "./messages.js";

/** How to read one document. */
export interface ReadingOptions {
  cutting: Cutting;
  pdfVision: boolean;
  /** Makes a text of a picture. Its errors end the reading. */
  describe: (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => Promise<string>;
  signal: AbortSignal;
}

/** Reads documents in separate threads. */
export interface DocumentReader {
  /**
   * The chunks of a document in their order, made as they are taken, so that only a few are in memory.
   * @throws DocumentError if it cannot be read: it is damaged, encrypted or unknown, or takes too much time or memory
   */
  read(source: Source, options: ReadingOptions): AsyncIterable<TextChunk>;
  close(): Promise<void>;
}

/** When a thread is stopped. */
export interface ReaderLimits {
  /** A thread is killed after this much time without output, plus 0.5 s for each megabyte of its document. */
  silenceMs: number;
  /** The heap of a thread. */
  heapMb: number;
  /** The heap of a thread that reads a small file: a few bytes must not take the memory of a large document. */
  small: { bytes: number; heapMb: number };
  /** An idle thread is ended after this time, because loaded parsers hold some 100 MB. */
  idleMs: number;
  /** A thread that still uses this much heap after a document is not used again. */
  keptHeapBytes: number;
  /** What may come of one file. */
  allowance: AllowanceSettings;
}

export const defaultLimits: ReaderLimits = {
  silenceMs: 12_000,
  heapMb: 768,
  small: { bytes: 2 * 2 ** 20, heapMb: 192 },
  idleMs: 60_000,
  keptHeapBytes: 150 * 1024 * 1024,
  allowance: { textBytes: 512 * 2 ** 20, ratio: 20, chunks: 500_000 },
};

/** Starts threads on demand and reuses idle ones. @param script the compiled thread.ts */
export function createDocumentReader(script: URL, limits: ReaderLimits): DocumentReader {
  const idle = new Map<Worker, NodeJS.Timeout>();
  /** Every thread with its heap. */
  const all = new Map<Worker, number>();
  const heapFor = (size: number) => (size <= limits.small.bytes ? limits.small.heapMb : limits.heapMb);

  const forget = (worker: Worker) => {
    clearTimeout(idle.get(worker));
    idle.delete(worker);
    all.delete(worker);
  };
  const end = (worker: Worker) => {
    forget(worker);
    return worker.terminate();
  };
  const take = (heapMb: number): Worker => {
    const waiting = [...idle.keys()].find((each) => all.get(each) === heapMb);
    if (waiting !== undefined) {
      clearTimeout(idle.get(waiting));
      idle.delete(waiting);
      waiting.ref();
      return waiting;
    }
    const worker = new Worker(script, {
      // Parsers must not see the environment, which has keys.
      env: {},
      resourceLimits: {
        maxOldGenerationSizeMb: heapMb,
        // Beside the heap that the limit means. Node's own 48 MB make reading no faster.
        maxYoungGenerationSizeMb: Math.min(heapMb / 12, 48),
      },
    });
    // A thread may also die while idle. Without a listener, its error would end the process.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      forget(worker);
    });
    all.set(worker, heapMb);
    return worker;
  };
  const giveBack = (worker: Worker) => {
    worker.unref();
    const timer = setTimeout(() => void end(worker), limits.idleMs);
    timer.unref();
    idle.set(worker, timer);
  };

  return {
    async *read(source, options) {
      const worker = take(heapFor(source.size));
      let kept = Infinity;
      try {
        kept = yield* converse(worker, source, options, limits);
      } finally {
        if (kept < limits.keptHeapBytes) giveBack(worker);
        else void end(worker);
      }
    },
    async close() {
      await Promise.all([...all.keys()].map(end));
    },
  };
}

/** Has a thread read one document. @returns the bytes of heap that the thread still uses */
async function* converse(
  worker: Worker,
  source: Source,
  { signal, describe, ...rest }: ReadingOptions,
  limits: ReaderLimits,
): AsyncGenerator<TextChunk, number> {
  signal.throwIfAborted();
  const say = (message: ToThread) => {
    worker.postMessage(message);
  };
  const limitMs = limits.silenceMs + source.size / 2000;
  let undescribed: unknown;
  let next = hear(worker, limitMs, signal);
  say({ kind: "read", source, ...rest, allowance: allowanceOf(source.size, limits.allowance) });
  for (;;) {
    const message = await next;
    switch (message.kind) {
      case "alive":
        next = hear(worker, limitMs, signal);
        break;
      case "chunks":
        // The thread waits until these are embedded.
        yield* message.chunks;
        next = hear(worker, limitMs, signal);
        say({ kind: "more" });
        break;
      case "describe": {
        let text: string | null = null;
        try {
          text = await describe(message.image, message.mediaType);
        } catch (error) {
          undescribed = error;
        }
        next = hear(worker, limitMs, signal);
        say({ kind: "described", text });
        break;
      }
      case "end":
        yield* message.chunks;
        return message.heapBytes;
      case "failed":
        throw new DocumentError(message.code, message.message);
      case "undescribed":
        throw undescribed;
      case "broken":
        throw broken(message);
    }
  }
}

/** The bug or the machine's error that ended the reading; ApiError 503 if the disk is full. */
function broken({ error, code }: Extract<FromThread, { kind: "broken" }>): unknown {
  const told = new Error(`a document could not be read: ${String(error)}`);
  return diskError(Object.assign(told, { code }), "The temporary directory");
}

/** The next message of a thread. @throws DocumentError if there is none in time; the signal's reason */
function hear(worker: Worker, limitMs: number, signal: AbortSignal): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    if (worker.threadId === -1) throw new Error("the reading thread ended");
    signal.throwIfAborted();
    const settle = (act: () => void) => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const fail = (error: unknown) => {
      settle(() => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    };
    const onMessage = (message: FromThread) => {
      settle(() => {
        resolve(message);
      });
    };
    const onError = (error: Error & { code?: string }) => {
      fail(
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? new DocumentError(
              "invalid_file",
              "Reading the document takes more memory than is allowed. Split it, or save it in a simpler form.",
            )
          : error,
      );
    };
    const onExit = () => {
      fail(new Error("the reading thread ended"));
    };
    const onAbort = () => {
      fail(signal.reason);
    };
    const timer = setTimeout(() => {
      fail(
        new DocumentError(
          "invalid_file",
          `Reading the document takes too long: nothing came of it for ${Math.round(limitMs / 1000)} s. ` +
            "Split it, or save it in a simpler form.",
        ),
      );
    }, limitMs);
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    signal.addEventListener("abort", onAbort);
  });
}
