import { getHeapStatistics } from "node:v8";
import { parentPort } from "node:worker_threads";
import { chunkBlocks } from "../chunking/chunkBlocks.js";
import { type Block, DocumentError, type TextChunk } from "../words/document.js";
import { readDocument } from "../formats/readDocument.js";
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

/** Sends a sign of life each second while blocks arrive, because the server stops a silent thread. */
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
