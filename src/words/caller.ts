/**
 * Who asks. `nobody` came without a key; `server` holds a key of this service; `admin` holds the LiteLLM master key; `user` holds a LiteLLM
 * virtual key.
 */
export type Caller =
  { kind: "nobody" } | { kind: "server" } | { kind: "admin" } | { kind: "user"; userId: string; key: string };

/** The rows that a query may see. It is part of every WHERE (`within` in db/expressions.ts), so no statement can forget it. */
export type Scope = { kind: "all" } | { kind: "owner"; userId: string } | { kind: "none" };

/** LiteLLM decides for its users, so the server's keys see everything. */
export function scopeOf(caller: Caller): Scope {
  switch (caller.kind) {
    case "server":
    case "admin":
      return { kind: "all" };
    case "user":
      return { kind: "owner", userId: caller.userId };
    case "nobody":
      return { kind: "none" };
  }
}

/** Recorded as the owner of what the caller makes; null: it belongs to the service. */
export const ownerOf = (caller: Caller): string | null => (caller.kind === "user" ? caller.userId : null);

/** The caller of work that the service does by itself: ingestion, maintenance, the command line. */
export const ownWork: Caller = { kind: "server" };
