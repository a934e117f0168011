import type { Caller } from "../words/caller.js";

/** What a route requires of its caller. `public` needs no key. */
export const permissions = ["public", "store:read", "store:write", "model:use"] as const;
export type Permission = (typeof permissions)[number];

/**
 * What each kind of caller may do; its scope decides what it sees. Every right is written out, so that a new permission
 * is refused to all until a line here grants it.
 */
const rights: Readonly<Record<Caller["kind"], readonly Permission[]>> = {
  nobody: ["public"],
  server: ["public", "store:read", "store:write", "model:use"],
  admin: ["public", "store:read", "store:write", "model:use"],
  user: ["public", "store:read", "store:write", "model:use"],
};

/** Whether a caller may use a route with this permission. */
export const isAllowed = (caller: Caller, permission: Permission): boolean => rights[caller.kind].includes(permission);
