import type { Request, Response } from "express";
import { setImmediate } from "node:timers/promises";
import { BatchScanner } from "./batchScanner.js";
import { jsonChunks, readJsonBytes } from "./jsonBody.js";
import { parseRowText } from "./rowText.js";
import type { Parse } from "../wire/parse.js";
import { parseRow, rowsWithin } from "../wire/embedding.js";

/** Parsed before yielding to other work: 0.1 to 0.5 ms of work for rows with vectors, 10 ms for tiny rows. */
const stepBytes = 64 * 1024;

/**
 * Reads the body of a batch row by row as it arrives, so that it is neither held in memory as text nor blocks the event
 * loop.
 * @returns the body's value; if its `embeddings` is an array, the elements are `EmbeddingInput`s
 * @throws ApiError 400 for the first invalid row, without waiting for the rest of the body; 413, 415
 */
export async function readBatch(req: Request, res: Response, limit: number, parse: Parse): Promise<unknown> {
  const scanner = new BatchScanner(rowsWithin(limit), (value, path) => parseRow(value, path, parse));
  let parsed = 0;
  for await (const chunk of jsonChunks(req, res, limit)) {
    for (let at = 0; at < chunk.length; at += stepBytes) {
      const step = chunk.subarray(at, at + stepBytes);
      scanner.push(step);
      parsed += step.length;
      if (parsed < stepBytes) continue;
      parsed = 0;
      await setImmediate();
    }
  }
  return scanner.end();
}

/** Reads a body that is one row. @throws ApiError 400, 413, 415 */
export const readRow = async (req: Request, res: Response, limit: number): Promise<unknown> =>
  parseRowText(await readJsonBytes(req, res, limit), "");
