import type { Secret } from "./secret.js";

/**
 * The rows that a query may see. `within` (db/expressions.ts) puts it into the WHERE of every statement that finds a
 * store, a file or an upload for a caller.
 */
export type Scope = { kind: "all" } | { kind: "owner"; userId: string } | { kind: "none" };

/**
 * Who makes a request. `nobody`: on a public route; sees nothing and may call no model. `server`: the server key; sees
 * all stores, because LiteLLM decides for its users. `admin`: LiteLLM's master key. `user`: a user with a LiteLLM key,
 * `key`, which is sent to the proxy with each model call, so that the proxy checks the user's models, budget and
 * limits.
 */
export type Caller =
  | { readonly kind: "nobody" }
  | { readonly kind: "server" }
  | { readonly kind: "admin" }
  | { readonly kind: "user"; readonly userId: string; readonly key: Secret };

/**
 * The service itself, for work that no request waits for: ingestion, imports by the command line, the doctor's checks.
 * Its model calls go to the service's own key.
 */
export const ownWork: Caller = { kind: "server" };

/** What the caller's queries may see; it goes into the SQL. */
export function scopeOf(caller: Caller): Scope {
  switch (caller.kind) {
    case "nobody":
      return { kind: "none" };
    case "server":
    case "admin":
      return { kind: "all" };
    case "user":
      return { kind: "owner", userId: caller.userId };
  }
}

/** The owner of what the caller makes; null for the server and the administrator. */
export function ownerOf(caller: Caller): string | null {
  return caller.kind === "user" ? caller.userId : null;
}
