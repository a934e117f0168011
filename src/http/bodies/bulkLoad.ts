import type { Request, Response } from "express";
import { type LoadProgress, loadEmbeddings } from "../../core/chunks/bulkLoad.js";
import type { Caller } from "../../words/caller.js";
import type { OnConflict } from "../../words/chunk.js";
import type { Deps } from "../../core/deps.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import { invalid, tooLarge, unsupportedMediaType } from "../../words/errors.js";
import { afterSpace } from "../../numbers/floatArray.js";
import { maxLineBytes, readLines } from "../../numbers/lines.js";
import { decodeJson, rawChunks } from "./jsonBody.js";
import { asApiError } from "../middleware/renderError.js";
import { parseRowText } from "./rowText.js";
import { seconds } from "../wire/common.js";
import type { Parse } from "../wire/parse.js";
import type { Warnings } from "../warnings.js";
import { parseRow } from "../wire/embedding.js";
import { endAfterBody } from "../restOfBody.js";

/**
 * Answers an NDJSON upload with NDJSON: `{"object": "embedding.batch.progress", count, duplicates}` after every
 * committed chunk, and as last line `{"object": "embedding.batch", …}` or `{"error": {…}, count}`. A failure before the
 * first commit has its proper HTTP status. `count` is always the number of leading rows that are stored, so an upload
 * can be resumed after them. The last line's `warning` is what came too late for the header `x-vector-store-warning`.
 */
export async function answerBulkLoad(
  deps: Deps,
  caller: Caller,
  storeId: string,
  {
    req,
    res,
    signal,
    rule,
    parse,
    missed,
  }: {
    req: Request;
    res: Response;
    signal: AbortSignal;
    rule: OnConflict | null;
    parse: Parse;
    missed: Warnings["missed"];
  },
): Promise<void> {
  const encoding = req.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    throw unsupportedMediaType("A stream of rows must come without a Content-Encoding.");
  let stored = presentProgress({ count: 0, duplicates: 0, added: 0, replaced: 0, skipped: 0 }, rule);
  const line = (value: object) => {
    if (!res.headersSent) res.status(200).type("application/x-ndjson");
    res.write(`${JSON.stringify(value)}\n`);
  };
  try {
    const onProgress = (progress: LoadProgress) => {
      stored = presentProgress(progress, rule);
      // Skip progress lines if the sender does not read while sending: its answer must not pile up in memory.
      if (!res.writableNeedDrain) line({ object: "embedding.batch.progress", ...stored });
    };
    const options = { ...(rule === null ? {} : { onConflict: rule }), onProgress, signal };
    const result = await loadEmbeddings(deps, caller, storeId, readRows(req, parse), options);
    const created = seconds(deps.now());
    line({ object: "embedding.batch", ...presentProgress(result, rule), created, warning: missed() });
    res.end();
  } catch (error) {
    if (!res.headersSent) throw error;
    const known = asApiError(error);
    if (known.status >= 500) deps.log.error({ err: error, path: req.path }, "bulk load failed");
    line({ ...known.envelope, ...stored, warning: missed() });
    endAfterBody(req, res);
  }
}

/** Counts of a stream; what became of the rows only if the request has `on_conflict`. */
const presentProgress = ({ count, duplicates, ...outcomes }: LoadProgress, rule: OnConflict | null) => ({
  ...{ count, duplicates },
  ...(rule === null ? {} : outcomes),
});

async function* readRows(req: Request, parse: Parse): AsyncGenerator<{ row: EmbeddingInput; path: string }> {
  let empty = true;
  for await (const { bytes, number } of readLines(rawChunks(req), tooLong)) {
    const path = `line ${number}`;
    const opensObject = bytes[afterSpace(bytes, 0)] === 0x7b;
    if (!opensObject && decodeJson(bytes, path).trim() === "") continue;
    empty = false;
    yield { row: parseRow(parseRowText(bytes, path), path, parse), path };
  }
  if (empty) throw invalid(null, "The body is empty; expected one JSON object per line.", "invalid_json");
}

const tooLong = (number: number) =>
  tooLarge(`line ${number} is longer than ${maxLineBytes / 1024 / 1024} MB.`, `line ${number}`);
