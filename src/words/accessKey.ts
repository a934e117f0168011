import type { KeyScope } from "./caller.js";

/** One of the service's own keys, without the key itself. Times are Unix milliseconds. */
export interface ServerKey {
  id: string;
  name: string;
  /** Its last four characters. */
  ending: string;
  scope: KeyScope;
  /** The only stores that it may use; null: all. */
  stores: readonly string[] | null;
  /** Works only beside LiteLLM's signed word who asks, and then acts as that user, within its own scope. */
  identityRequired: boolean;
  createdAt: number;
  createdBy: string;
  expiresAt: number | null;
  lastUsedAt: number | null;
  /** Until when the key before the last rotation works; null: there is none. */
  oldUntil: number | null;
}

/** An administrative act, for the audit log. */
export interface AuditEntry {
  id: string;
  at: number;
  /** `master`, `user:ID`, `key:ID`, `command line`, `adoption` (a start that took tables over) or `import`. */
  actor: string;
  /** What was done: `key.create`. */
  action: string;
  /** To what: the id of a key, a store, a user. */
  target: string;
  details: Record<string, unknown>;
  address: string | null;
  requestId: string | null;
}
