import type { Request, Response } from "express";
import { setImmediate } from "node:timers/promises";
import { BatchScanner } from "./batchScanner.js";
import { jsonChunks, readJsonBytes } from "./jsonBody.js";
import { parseRowText } from "./rowText.js";
import { maxRowsPerBatch, parseRow } from "../wire/embedding.js";

/** Parsed before others get their turn: 0.1 to 0.5 ms of work for rows with vectors, 10 ms where rows are tiny. */
const stepBytes = 64 * 1024;

/**
 * Reads the body of a batch row by row while it comes, so that neither its text is held nor the event loop stopped by it.
 * @returns the body's value; the elements of its `embeddings`, if that is an array, are `EmbeddingInput`s.
 * @throws ApiError 400 for the first row that is wrong, without waiting for the rest of the body; 413, 415.
 */
export async function readBatch(req: Request, res: Response, limit: number): Promise<unknown> {
  const scanner = new BatchScanner(maxRowsPerBatch, parseRow);
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

/** Reads a body that is one row. @throws ApiError 400, 413, 415. */
export const readRow = async (req: Request, res: Response, limit: number): Promise<unknown> =>
  parseRowText(await readJsonBytes(req, res, limit), "");
