import type { Request, Response } from "express";
import * as sessions from "../../core/access/sessions.js";
import type { Deps } from "../../core/deps.js";
import type { Caller } from "../../words/caller.js";
import { unauthorized } from "../../words/errors.js";
import type { LitellmOperation } from "../../words/identity.js";
import { originOf } from "../origin.js";
import { sessionToken } from "../sessionCookie.js";
import { requireSameSite } from "./sameSite.js";

/** What LiteLLM has signed about who asks. It proves nothing beside a key that does not require it. */
const identityHeader = "x-vector-store-identity";

/**
 * Turns the bearer token into a caller, or else the cookie of a session. The whole token counts: a caller of LiteLLM
 * can make it send `Bearer evil, Bearer <server key>` (observed on the wire), which must not pass.
 * @param operation what LiteLLM calls the route; null: it never asks for it
 * @throws ApiError 401, the same for an unknown and a malformed key; also as `Callers.of`, `sessions.resume` and
 * `requireSameSite`
 */
export async function authenticate(
  req: Request,
  res: Response,
  deps: Deps,
  operation: LitellmOperation | null,
): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined) return bySession(req, res, deps);
  const { vector_store_id: storeId } = req.params;
  return deps.callers.of(/^Bearer +(.+)$/i.exec(header)?.[1] ?? "", {
    // Node joins repeated headers in `headers`.
    tokens: req.headersDistinct[identityHeader] ?? [],
    operation,
    storeId: typeof storeId === "string" ? storeId : null,
  });
}

async function bySession(req: Request, res: Response, deps: Deps): Promise<Caller> {
  const token = sessionToken(req);
  if (token === null) {
    throw unauthorized("You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.");
  }
  requireSameSite(req, deps.config.apiUrl);
  // Shared caches keep answers to requests without Authorization.
  res.set("cache-control", "no-store");
  return sessions.resume(deps, token, originOf(req, res));
}
