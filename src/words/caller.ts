/** Whose stores a query may see. It is part of every WHERE, so no caller of these functions can forget it. */
export type Scope = { kind: "all" } | { kind: "owner"; userId: string } | { kind: "none" };

/** Who asks. LiteLLM decides for its users, so the server key sees all stores. */
export type Caller = { kind: "server" } | { kind: "admin" } | { kind: "user"; userId: string };

/** What the caller's queries may see; it goes into the SQL. */
export function scopeOf(caller: Caller): Scope {
  return caller.kind === "user" ? { kind: "owner", userId: caller.userId } : { kind: "all" };
}

/** Recorded with what the caller makes; null for the server and the administrator. */
export function ownerOf(caller: Caller): string | null {
  return caller.kind === "user" ? caller.userId : null;
}

/** The caller of work that the service does by itself: ingestion, maintenance, the command line. */
export const ownWork: Caller = { kind: "server" };
