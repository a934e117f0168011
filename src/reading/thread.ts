import { getHeapStatistics } from "node:v8";
import { parentPort } from "node:worker_threads";
import { chunkBlocks } from "../chunking/chunkBlocks.js";
import { DocumentError, type TextChunk } from "../words/document.js";
import { readDocument } from "../formats/readDocument.js";
import { errorCode } from "../words/errors.js";
import { countChunks, countText, freeText } from "./allowance.js";
import type { FromThread, ToThread } from "./messages.js";

/**
 * A reading thread: documents in, chunks out. Its heap has a limit, and it can be stopped at any moment, which a parser
 * on the server's main thread could not.
 */

const port = parentPort;
if (port === null) throw new Error("this file must run as a worker thread");
const post = (message: FromThread) => {
  port.postMessage(message);
};

/** Chunks per message: a few hundred kB at most. */
const chunksPerMessage = 64;
const aliveEveryMs = 1000;

class Undescribed extends Error {}

let answered: (message: ToThread) => void = () => undefined;
/** Waits for the server's next message. */
const nextMessage = () =>
  new Promise<ToThread>((resolve) => {
    answered = resolve;
  });

port.on("message", (message: ToThread) => {
  if (message.kind === "read") void read(message);
  else answered(message);
});

async function read({ source, cutting, pdfVision, allowance }: Extract<ToThread, { kind: "read" }>): Promise<void> {
  const work = stopwatch(allowance.workMs);
  const ask = async (message: FromThread) => {
    work.pause();
    post(message);
    const answer = await nextMessage();
    work.go();
    return answer;
  };
  const describeImage = async (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => {
    const answer = await ask({ kind: "describe", image, mediaType });
    if (answer.kind !== "described" || answer.text === null) throw new Undescribed();
    return answer.text;
  };
  try {
    const counted = { text: 0 };
    const blocks = countText(work.watch(readDocument(source, { describeImage, pdfVision })), allowance, counted);
    let chunks: TextChunk[] = [];
    for await (const chunk of countChunks(work.watch(chunkBlocks(blocks, cutting)), allowance)) {
      chunks.push(chunk);
      // Nothing is embedded or stored of a small file before it is known to stay within its limits.
      if (chunks.length < chunksPerMessage || counted.text <= freeText) continue;
      for (; chunks.length >= chunksPerMessage; chunks = chunks.slice(chunksPerMessage)) {
        await ask({ kind: "chunks", chunks: chunks.slice(0, chunksPerMessage) });
      }
    }
    for (; chunks.length > chunksPerMessage; chunks = chunks.slice(chunksPerMessage)) {
      await ask({ kind: "chunks", chunks: chunks.slice(0, chunksPerMessage) });
    }
    post({ kind: "end", chunks, heapBytes: getHeapStatistics().used_heap_size });
  } catch (error) {
    if (error instanceof Undescribed) post({ kind: "undescribed" });
    else if (error instanceof DocumentError) post({ kind: "failed", code: error.code, message: error.message });
    else {
      const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
      post({ kind: "broken", error: told, code: errorCode(error) });
    }
  }
}

/**
 * Measures the time that the thread works on a document, and sends a sign of life each second while blocks or chunks
 * arrive, because the server stops a silent thread.
 */
function stopwatch(mostMs: number) {
  let since = performance.now();
  let worked = 0;
  let told = since;
  return {
    pause: () => {
      worked += performance.now() - since;
    },
    go: () => {
      since = told = performance.now();
    },
    /** @throws DocumentError when the thread has worked too long */
    watch: async function* <T>(items: AsyncIterable<T>): AsyncGenerator<T> {
      for await (const item of items) {
        const now = performance.now();
        if (worked + now - since > mostMs) throw tooSlow(mostMs);
        if (now - told > aliveEveryMs) {
          post({ kind: "alive" });
          told = now;
        }
        yield item;
      }
    },
  };
}

const tooSlow = (mostMs: number) =>
  new DocumentError(
    "invalid_file",
    `Reading the document takes more than ${Math.round(mostMs / 1000)} s. Split it, or save it in a simpler form.`,
  );
