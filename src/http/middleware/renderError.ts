import type { ErrorRequestHandler, Request, Response } from "express";
import { ApiError, invalid } from "../../errors.js";
import type { Log } from "../../log.js";

/** Any error as the one a caller may see. What we did not foresee is a 500 that says nothing of what happened. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof URIError) return invalid(null, "The URL holds a malformed percent-encoding.");
  return new ApiError(500, "The server failed to answer this request. Its log has more under the request id.", {
    code: "internal_error",
    cause: error,
  });
}

/** Every failure leaves through here, as OpenAI's envelope. */
export function renderError(log: Log): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, next): void => {
    const known = asApiError(error);
    if (known.status >= 500) log.error({ err: error, requestId: res.getHeader("x-request-id") }, "request failed");
    if (res.headersSent) {
      res.destroy();
      // Nothing comes after this handler; that it has four parameters is how Express knows it.
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

/** How long a sender may go on with a body that is refused already. */
const drainMs = 5000;

/**
 * Answers a client that may still be sending its body. The answer goes out whole and at once but is not ended before the body: where the
 * client asked for `Connection: close` (nginx does, by default), Node would reset the connection at the answer's end.
 */
function answerSender(req: Request, res: Response, text: string): void {
  res.type("json").set("content-length", String(Buffer.byteLength(text)));
  res.write(text);
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(() => {
    res.end();
    req.destroy();
  }, drainMs);
  timer.unref();
  req.once("end", end);
  req.once("close", end);
  req.resume();
}
