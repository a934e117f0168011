import express, { type Request, type RequestHandler, type Response } from "express";
import { ApiError, invalid, tooLarge, unsupportedMediaType } from "../../words/errors.js";
import { parseJson } from "./jsonText.js";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a JSON body of at most `limit` bytes. Call it only once the caller is authenticated, so that a stranger cannot
 * make us hold 256 MB. Refuses text in any field that PostgreSQL cannot store (U+0000, lone surrogates, broken UTF-8).
 * @param optional whether a missing body counts as `{}`
 * @throws ApiError 400, 413, 415.
 */
export async function readJson(req: Request, res: Response, limit: number, optional: boolean): Promise<unknown> {
  if (!hasBody(req) && optional) return {};
  return parseBytes(await readJsonBytes(req, res, limit));
}

/**
 * Parses the bytes of a body, or of the part of it at `path`.
 * @param byteAt the byte of the body that is at an index of `bytes`, for the message of a syntax error
 * @param counted as in `parseJson`
 * @throws ApiError 400 as `parseJson`, and for an empty text
 */
export function parseBytes(bytes: Buffer, path = "", byteAt = (index: number) => index, counted = 0): unknown {
  const text = decodeJson(bytes, path);
  if (text.trim() === "") throw invalid(null, "The body is empty; expected a JSON object.", "invalid_json");
  // The decoder drops a byte order mark.
  const before = bytes.length > 2 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  return parseJson(text, path, (index) => byteAt(before + Buffer.byteLength(text.slice(0, index))), counted);
}

/** @param path the text's place in the body; `""`: it is the body. @throws ApiError 400 if it is not UTF-8 */
export function decodeJson(bytes: Buffer, path = ""): string {
  try {
    return decoder.decode(bytes);
  } catch {
    if (path === "") throw invalid(null, "The body is not valid UTF-8.", "invalid_json");
    throw invalid(path, "is not valid UTF-8", "invalid_json");
  }
}

const hasBody = (req: Request) =>
  req.headers["transfer-encoding"] !== undefined || (req.headers["content-length"] ?? "0") !== "0";

/** Checked before the body is read: a wrong type is refused without receiving 256 MB. @throws ApiError 415 */
function requireJson(req: Request): void {
  if (!hasBody(req)) return;
  const type = req.headers["content-type"];
  if (type !== undefined && /^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type)) return;
  throw unsupportedMediaType(
    `The body must be JSON: send the header Content-Type: application/json${type === undefined ? "" : ` instead of ${type.slice(0, 100)}`}.`,
  );
}

/** The whole body of at most `limit` bytes, decompressed if necessary. @throws ApiError 400, 413, 415 */
export function readJsonBytes(req: Request, res: Response, limit: number): Promise<Buffer> {
  requireJson(req);
  const read: RequestHandler = express.raw({ type: () => true, limit });
  return new Promise((resolve, reject) => {
    const refuse = () => {
      reject(bodyTooLarge(limit));
    };
    read(req, res, (error?: unknown) => {
      const bytes: unknown = req.body;
      // The request stays in memory until its answer ends; release its bytes now.
      req.body = undefined;
      if (error === undefined) resolve(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0));
      else if (typeOf(error) === "entity.too.large") refuse();
      else reject(bodyError(error));
    });
    // body-parser keeps no byte beyond the limit, but reports it only at the end of the body, and a hostile body never
    // ends.
    let received = 0;
    req.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > limit) refuse();
    });
    if (Number(req.headers["content-length"] ?? 0) > limit) refuse();
  });
}

/** The same body in parts, as they arrive; a compressed one comes as a whole. @throws as `readJsonBytes` */
export async function* jsonChunks(req: Request, res: Response, limit: number): AsyncGenerator<Buffer> {
  if ((req.headers["content-encoding"] ?? "identity").toLowerCase() !== "identity") {
    yield await readJsonBytes(req, res, limit);
    return;
  }
  requireJson(req);
  if (Number(req.headers["content-length"] ?? 0) > limit) throw bodyTooLarge(limit);
  yield* rawChunks(req, limit);
}

/**
 * The bytes of a request as they arrive; a slow reader slows the sender down.
 * @throws ApiError 400 if the request breaks off, 413
 */
export async function* rawChunks(req: Request, limit = Infinity): AsyncGenerator<Buffer> {
  let received = 0;
  try {
    // Keep the request open if the body is refused: the sender is still sending, and must be able to read why.
    for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > limit) throw bodyTooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(400, "The request ended before its body was complete.", { cause: error });
  }
}

const bodyTooLarge = (limit: number) => tooLarge(`The body is larger than ${Math.floor(limit / 1024 / 1024)} MB.`);

/** body-parser's errors have a `type` (section "Errors" of its README). */
const typeOf = (error: unknown) => (error instanceof Error && "type" in error ? error.type : null);

function bodyError(error: unknown): Error {
  const type = typeOf(error);
  if (type === "encoding.unsupported") return unsupportedMediaType("The body's Content-Encoding is not supported.");
  if (type === "request.aborted") return new ApiError(400, "The request ended before its body was complete.");
  if (error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500) {
    return invalid(null, "The body cannot be read.", "invalid_body");
  }
  return error instanceof Error ? error : new Error("the body cannot be read");
}
