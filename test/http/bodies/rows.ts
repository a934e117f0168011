import type { Request } from "express";
import { readBatch } from "../../../src/http/bodies/batchBody.js";
import { parseRow } from "../../../src/http/wire/embedding.js";
import { parseValue } from "../../../src/http/wire/parse.js";

/** A row as the service reads it. Unknown fields are the parser's affair, not the scanner's. */
export const toRow = (value: unknown, path: string) => parseRow(value, path, parseValue);

export const readBatchOf = (req: Request, limit: number) => readBatch(req, null as never, limit, parseValue);
