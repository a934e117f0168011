import type { Caller } from "../words/caller.js";

/** What a route requires of its caller. `public` needs no key. */
export const permissions = ["public", "store:read", "store:write", "model:use"] as const;
export type Permission = (typeof permissions)[number];

/** What each kind of caller may do; its scope decides what it sees. Anything not listed is refused. */
const rights: Readonly<Record<Caller["kind"], ReadonlySet<Permission>>> = {
  nobody: new Set(["public"]),
  server: new Set(permissions),
  admin: new Set(permissions),
  user: new Set(permissions),
};

/** Whether a caller may use a route with this permission. */
export const isAllowed = (caller: Caller, permission: Permission): boolean => rights[caller.kind].has(permission);
