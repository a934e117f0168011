import { type Actor, nameOf } from "../core/access/audit.js";
import type { Call } from "./route.js";

/** Who makes a request, for the audit log. */
export function actorOf({ caller, req, res }: Pick<Call<never, never, never>, "caller" | "req" | "res">): Actor {
  const requestId = res.getHeader("x-request-id");
  return {
    name: nameOf(caller),
    address: req.ip ?? null,
    requestId: typeof requestId === "string" ? requestId : null,
  };
}
