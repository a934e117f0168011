import type { Caller } from "./caller.js";

/** The name of a caller in logs: never the key. */
export function nameOf(caller: Caller): string {
  switch (caller.kind) {
    case "nobody":
      return "nobody";
    case "server":
      return caller.keyId === null ? "server" : `key:${caller.keyId}`;
    case "admin":
      return caller.user === null ? "master" : nameOf({ kind: "user", ...caller.user });
    case "user":
      if (caller.userId !== null) return `user:${caller.userId}`;
      return caller.teamId === null ? `key:${caller.keyHash}` : `team:${caller.teamId}`;
  }
}
