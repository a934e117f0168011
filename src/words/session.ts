import type { Caller, KeyScope } from "./caller.js";

/** As what somebody signed in. */
export type SessionRole = "admin" | "viewer" | "user" | `server:${KeyScope}`;

/** A sign-in to the web page. Times are Unix milliseconds. */
export interface Session {
  id: string;
  /** Who signed in, as `nameOf` names callers. */
  name: string;
  role: SessionRole;
  createdAt: number;
  /** At most five minutes late. */
  lastUsedAt: number;
  expiresAt: number;
  address: string | null;
  userAgent: string | null;
}

/** What a session's key may do, in one word; null: nobody's. */
export function roleOf(caller: Caller): SessionRole | null {
  switch (caller.kind) {
    case "nobody":
      return null;
    case "server":
      return `server:${caller.scope}`;
    case "user":
      return "user";
    case "admin":
      return caller.readOnly ? "viewer" : "admin";
  }
}
