import type { Duplex } from "node:stream";
import type { ErrorRequestHandler, Request, Response } from "express";
import { ApiError, invalid } from "../../words/errors.js";
import type { Log } from "../../process/log.js";
import { endAfterBody } from "../restOfBody.js";

/** Turns any error into one that a caller may see. An unforeseen error becomes a 500 that reveals nothing. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof URIError) return invalid(null, "The URL has a malformed percent-encoding.");
  return new ApiError(500, "The server failed to answer this request. Its log has more under the request id.", {
    code: "internal_error",
    cause: error,
  });
}

/** Answers every failure with OpenAI's error envelope. */
export function renderError(log: Log): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, next): void => {
    const known = asApiError(error);
    logFailure(log, error, known, res);
    if (res.headersSent) {
      res.destroy();
      // No handler follows; Express recognises an error handler by its four parameters.
      next();
      return;
    }
    const { retryAfterSeconds, headers } = known.details;
    if (retryAfterSeconds !== undefined) res.set("retry-after", String(Math.ceil(retryAfterSeconds)));
    if (headers !== undefined) res.set(headers);
    res.status(known.status);
    if (req.complete) res.json(known.envelope);
    else answerSender(req, res, JSON.stringify(known.envelope));
  };
}

/**
 * Logs unforeseen errors with their stack, and foreseen ones (such as an unreachable database, probed every few
 * seconds) in one line.
 */
export function logFailure(log: Log, error: unknown, { status, message }: ApiError, res: Response): void {
  const requestId = res.getHeader("x-request-id");
  if (error instanceof ApiError) {
    if (status >= 500) log.warn({ status, reason: message, requestId }, "request failed");
  } else if (status >= 500) log.error({ err: error, requestId }, "request failed");
}

/** Node's HTTP parser refused what a client sent, so there is no request: writes the same envelope by hand. */
export function renderClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, reason, message } = clientErrors[error.code ?? ""] ?? malformed;
  const body = JSON.stringify(new ApiError(status, message, { code: "bad_request" }).envelope);
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const malformed = { status: 400, reason: "Bad Request", message: "The request is not valid HTTP." };
const clientErrors: Partial<Record<string, typeof malformed>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: "Request Header Fields Too Large",
    message: "The URL and headers together are larger than 16 KB.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: "Request Timeout",
    message: "The request's headers did not arrive in time.",
  },
};

/**
 * Answers a client that may still be sending its body. The complete answer is sent at once, but not ended before the
 * body: for a client that asked for `Connection: close` (nginx does by default), Node would reset the connection at the
 * end of the answer.
 */
function answerSender(req: Request, res: Response, text: string): void {
  res.type("json").set("content-length", String(Buffer.byteLength(text)));
  res.write(text);
  endAfterBody(req, res);
}
