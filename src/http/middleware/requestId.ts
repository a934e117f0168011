import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import type { Log } from "../../log.js";

const probes = new Set(["/health", "/livez", "/readyz"]);

/** Gives every request an id (the client's own when it is a plain word), returns it as `x-request-id`, and logs one line at its end. */
export function requestId(log: Log): RequestHandler {
  // Nothing of the caller's is in these lines but a plain word; to look through each for secrets was a fifth of what a search allocates.
  const lines = log.child({}, { redact: [] });
  return (req, res, next) => {
    const given = req.headers["x-request-id"];
    const id = typeof given === "string" && /^[\w.:-]{1,100}$/.test(given) ? given : `req_${randomUUID()}`;
    res.set("x-request-id", id);
    const start = performance.now();
    res.once("close", () => {
      const ms = Math.round((performance.now() - start) * 10) / 10;
      // The route's pattern, not the URL: a query string may hold a filter with a user's words.
      const route = (req.route as { path?: string } | undefined)?.path ?? null;
      // Probes come every few seconds, and say something only when they fail.
      const level = res.statusCode < 400 && probes.has(route ?? "") ? "debug" : "info";
      lines[level](
        { requestId: id, method: req.method, route, status: res.statusCode, ms, finished: res.writableFinished },
        "request",
      );
    });
    next();
  };
}
