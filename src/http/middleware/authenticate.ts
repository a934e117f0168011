import type { Request } from "express";
import type { Callers } from "../../core/access/callers.js";
import type { Caller } from "../../words/caller.js";
import { unauthorized } from "../../words/errors.js";

/**
 * Turns the bearer token into a caller. The whole token counts: a caller of LiteLLM can make it send
 * `Bearer evil, Bearer <server key>` (observed on the wire), which must not pass.
 * @throws ApiError 401, the same for an unknown and a malformed key; also as `Callers.of`
 */
export async function authenticate(req: Request, callers: Callers): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined) {
    throw unauthorized("You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.");
  }
  return callers.of(/^Bearer +(.+)$/i.exec(header)?.[1] ?? "");
}
