import type { Actor } from "../core/access/audit.js";
import { nameOf } from "../words/callerName.js";
import { originOf } from "./origin.js";
import type { Call } from "./route.js";

/** Who makes a request, for the audit log. */
export function actorOf({ caller, req, res }: Pick<Call<never, never, never>, "caller" | "req" | "res">): Actor {
  return { name: nameOf(caller), ...originOf(req, res) };
}
