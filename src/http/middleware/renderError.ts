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
  return (error: unknown, req: Request, res: Response, _next): void => {
    const known = asApiError(error);
    if (known.status >= 500) log.error({ err: error, requestId: res.getHeader("x-request-id") }, "request failed");
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const { retryAfterSeconds, headers } = known.details;
    if (retryAfterSeconds !== undefined) res.set("retry-after", String(Math.ceil(retryAfterSeconds)));
    if (headers !== undefined) res.set(headers);
    drain(req, res);
    res.status(known.status).json(known.envelope);
  };
}

/** How long a sender may go on with a body that is refused already, so that it gets to read the answer instead of a reset. */
const drainMs = 5000;

function drain(req: Request, res: Response): void {
  if (req.complete) return;
  res.set("connection", "close");
  req.resume();
  res.once("finish", () => {
    const timer = setTimeout(() => {
      req.destroy();
    }, drainMs);
    timer.unref();
    req.once("close", () => {
      clearTimeout(timer);
    });
  });
}
