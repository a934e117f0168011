import type { Request } from "express";
import { ApiError } from "../../words/errors.js";

const reading = ["GET", "HEAD"];

/**
 * Browsers send cookies whoever made the page that sends the request. So a request that is believed by its cookie must
 * come from our own page: the browser says where it comes from (Sec-Fetch-Site), or without TLS at least for whom it
 * sends (Origin).
 * @param apiUrl where clients reach this server, if its Host says something else
 * @throws ApiError 403 `cross_site_request`
 */
export function requireSameSite({ method, headers }: Request, apiUrl: string | null): void {
  const isReading = reading.includes(method);
  const { "sec-fetch-site": site, origin, host = "" } = headers;
  if (site !== undefined) {
    if (site === "same-origin" || (site === "none" && isReading)) return;
  } else if (origin === undefined ? isReading : isOurs(origin, host, apiUrl)) return;
  throw new ApiError(403, "This request comes from another site, whose pages may not use your session.", {
    type: "permission_error",
    code: "cross_site_request",
  });
}

function isOurs(origin: string, host: string, apiUrl: string | null): boolean {
  if (apiUrl !== null && new URL(apiUrl).origin === origin) return true;
  const [from, here] = [parsed(origin), parsed(`${origin.slice(0, origin.indexOf(":"))}://${host}`)];
  return from !== null && here !== null && from.origin === here.origin && from.origin !== "null";
}

const parsed = (url: string) => (URL.canParse(url) ? new URL(url) : null);
