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
 * Turns the bearer token into a caller. The whole token is compared, in constant time over its digest: a caller of
 * LiteLLM can make it send `Bearer evil, Bearer <server key>` (observed on the wire), which must not pass.
 * Asynchronous, so that keys can later be looked up elsewhere.
 * @throws ApiError 401, the same for an unknown and a malformed key
 */
export function authenticate(req: Request, keys: Keys): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined) {
    return Promise.reject(
      unauthorized("You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY."),
    );
  }
  const token = digest(/^Bearer +(.+)$/i.exec(header)?.[1] ?? "");
  // Always compare both, so that the time reveals nothing about either.
  const isServer = keys.server !== null && timingSafeEqual(token, digest(keys.server));
  const isMaster = keys.master !== null && timingSafeEqual(token, digest(keys.master));
  if (isMaster) return Promise.resolve({ kind: "admin" });
  if (isServer) return Promise.resolve({ kind: "server" });
  return Promise.reject(unauthorized("Incorrect API key provided."));
}
