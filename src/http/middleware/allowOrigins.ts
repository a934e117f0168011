import cors from "cors";
import type { RequestHandler } from "express";

/** Headers of answers that scripts of a page may read, beside the usual ones. */
const exposedHeaders = [
  "x-request-id",
  "x-vector-store-warning",
  "retry-after",
  "server-timing",
  "content-disposition",
];

/**
 * Lets pages of these origins call the API from a browser (CORS). Keys travel in a header, never in cookies, so no
 * credentials are allowed. @param origins exact origins, or "*"
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const options: cors.CorsOptions = {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    exposedHeaders,
    maxAge: 600,
  };
  const answer = cors(options);
  // Any other OPTIONS request asks for the methods of a path.
  const mark = cors({ ...options, preflightContinue: true });
  return (req, res, next) => {
    const isPreflight = req.headers["access-control-request-method"] !== undefined;
    (isPreflight ? answer : mark)(req, res, next);
  };
}
