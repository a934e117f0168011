import { createHash, timingSafeEqual } from "node:crypto";
import type { Request } from "express";
import type { Caller } from "../../words/caller.js";
import { unauthorized } from "../../words/errors.js";

export interface Keys {
  server: string | null;
  master: string | null;
}

const digest = (text: string) => createHash("sha256").update(text).digest();

/**
 * Who asks, by the bearer token. The whole token is compared, in constant time over its digest: a caller of LiteLLM can make it send
 * `Bearer evil, Bearer <server key>` (observed on the wire), which must not pass.
 * @throws ApiError 401, the same for an unknown and a malformed key.
 */
export function authenticate(req: Request, keys: Keys): Caller {
  const header = req.headers.authorization;
  if (header === undefined) {
    throw unauthorized("You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.");
  }
  const token = digest(/^Bearer +(.+)$/i.exec(header)?.[1] ?? "");
  // Both are always compared, so the time says nothing of which one was near.
  const isServer = keys.server !== null && timingSafeEqual(token, digest(keys.server));
  const isMaster = keys.master !== null && timingSafeEqual(token, digest(keys.master));
  if (isMaster) return { kind: "admin" };
  if (isServer) return { kind: "server" };
  throw unauthorized("Incorrect API key provided.");
}
