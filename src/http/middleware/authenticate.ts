import type { Request } from "express";
import type { Callers } from "../../core/access/callers.js";
import type { Caller } from "../../words/caller.js";
import { unauthorized } from "../../words/errors.js";
import type { LitellmOperation } from "../../words/identity.js";

/** What LiteLLM has signed about who asks. It proves nothing beside a key that does not require it. */
const identityHeader = "x-vector-store-identity";

/**
 * Turns the bearer token into a caller. The whole token counts: a caller of LiteLLM can make it send
 * `Bearer evil, Bearer <server key>` (observed on the wire), which must not pass.
 * @param operation what LiteLLM calls the route; null: it never asks for it
 * @throws ApiError 401, the same for an unknown and a malformed key; also as `Callers.of`
 */
export async function authenticate(
  req: Request,
  callers: Callers,
  operation: LitellmOperation | null,
): Promise<Caller> {
  const header = req.headers.authorization;
  if (header === undefined) {
    throw unauthorized("You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.");
  }
  const { vector_store_id: storeId } = req.params;
  return callers.of(/^Bearer +(.+)$/i.exec(header)?.[1] ?? "", {
    // Node joins repeated headers in `headers`.
    tokens: req.headersDistinct[identityHeader] ?? [],
    operation,
    storeId: typeof storeId === "string" ? storeId : null,
  });
}
