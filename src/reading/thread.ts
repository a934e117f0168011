import { getHeapStatistics } from "node:v8";
import { parentPort } from "node:worker_threads";
import { chunkBlocks } from "../chunking/chunkBlocks.js";
import { type Block, DocumentError, type TextChunk } from "../words/document.js";
import { readDocument } from "../formats/readDocument.js";
import type { FromThread, ToThread } from "./messages.js";

/**
 * A reading thread: documents in, chunks out. It has a heap of its own with a limit, and can be ended at any moment, which no parser on
 * the server's own thread could be.
 */

const port = parentPort;
if (port === null) throw new Error("this file is the entry of a worker thread");
const post = (message: FromThread) => {
  port.postMessage(message);
};

/** Chunks of one message: a few hundred kilobytes at most. */
const chunksPerMessage = 64;
const aliveEveryMs = 1000;

class Undescribed extends Error {}

let answered: (message: ToThread) => void = () => undefined;
/** The next thing that the server says. */
const nextMessage = () =>
  new Promise<ToThread>((resolve) => {
    answered = resolve;
  });

port.on("message", (message: ToThread) => {
  if (message.kind === "read") void read(message);
  else answered(message);
});

async function read({ source, cutting, pdfVision }: Extract<ToThread, { kind: "read" }>): Promise<void> {
  const describeImage = async (image: Uint8Array, mediaType: "image/png" | "image/jpeg") => {
    post({ kind: "describe", image, mediaType });
    const answer = await nextMessage();
    if (answer.kind !== "described" || answer.text === null) throw new Undescribed();
    return answer.text;
  };
  try {
    let chunks: TextChunk[] = [];
    for await (const chunk of chunkBlocks(withSigns(readDocument(source, { describeImage, pdfVision })), cutting)) {
      chunks.push(chunk);
      if (chunks.length < chunksPerMessage) continue;
      post({ kind: "chunks", chunks });
      chunks = [];
      await nextMessage();
    }
    post({ kind: "end", chunks, heapBytes: getHeapStatistics().used_heap_size });
  } catch (error) {
    if (error instanceof Undescribed) post({ kind: "undescribed" });
    else if (error instanceof DocumentError) post({ kind: "failed", code: error.code, message: error.message });
    else post({ kind: "broken", error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** Says now and then that the document goes on: only silence is a reason to end this thread. */
async function* withSigns(blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
  let last = performance.now();
  for await (const block of blocks) {
    if (performance.now() - last > aliveEveryMs) {
      post({ kind: "alive" });
      last = performance.now();
    }
    yield block;
  }
}
