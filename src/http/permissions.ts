import { type Caller, type KeyScope, keyScopes } from "../words/caller.js";

/** What a route requires of its caller. `public` needs no key. */
export const permissions = [
  "public",
  "store:search",
  "store:read",
  "model:use",
  "store:write",
  "admin:read",
  "admin:write",
] as const;
export type Permission = (typeof permissions)[number];

const reading: readonly Permission[] = ["public", "store:search", "store:read", "model:use"];

/** What each scope of a key adds to those before it. */
const added: Readonly<Record<(typeof keyScopes)[number], readonly Permission[]>> = {
  search: ["public", "store:search"],
  read: ["store:read", "model:use"],
  write: ["store:write"],
  admin: ["admin:read", "admin:write"],
};

/**
 * What a caller may do; its scope decides what it sees. Every right is written out, so that a new permission is refused
 * to all until a line here grants it.
 */
function rightsOf(caller: Caller): readonly Permission[] {
  switch (caller.kind) {
    case "nobody":
      return ["public"];
    case "server":
      return rightsIn(caller.scope);
    case "user":
      return [...reading, "store:write"];
    case "admin":
      return caller.readOnly ? [...reading, "admin:read"] : permissions;
  }
}

const rightsIn = (scope: KeyScope) => keyScopes.slice(0, keyScopes.indexOf(scope) + 1).flatMap((each) => added[each]);

/** All that a caller may do. */
export const allowedTo = (caller: Caller): Permission[] => permissions.filter((each) => isAllowed(caller, each));

/** Whether a caller may use a route with this permission. */
export const isAllowed = (caller: Caller, permission: Permission): boolean =>
  rightsOf(caller).includes(permission) &&
  (caller.through === undefined || rightsIn(caller.through).includes(permission));
