import type { Caller, Payer } from "./caller.js";

/** A request, or the ingestion of a file. */
export interface UsageEvent {
  id: string;
  /** Unix milliseconds. */
  at: number;
  userId: string | null;
  teamId: string | null;
  /** SHA-256 of a LiteLLM key in hex, the id of a key of the service, `server` (SERVER_API_KEY) or `master`. */
  keyId: string;
  storeId: string | null;
  /** The operation's id in the OpenAPI document, or `ingestFile`. */
  action: string;
  /** As the proxy counted them; 0 where it does not say. */
  tokens: number;
  durationMs: number;
  /** The HTTP status of the answer; 499: the client left. */
  status: number;
}

/** By what sums of usage can be grouped. */
export const usageGroups = ["day", "user_id", "team_id", "key_id", "vector_store_id", "action"] as const;
export type UsageGroup = (typeof usageGroups)[number];

export interface UsageSums {
  requests: number;
  /** Requests with a status of 400 or more. */
  failures: number;
  tokens: number;
  durationMs: number;
}

export const noUsage: UsageSums = { requests: 0, failures: 0, tokens: 0, durationMs: 0 };

/** Which usage is summed. Days are in UTC, `2026-01-31`, both included; null: of all. */
export interface UsageQuery {
  from: string;
  to: string;
  userId: string | null;
  teamId: string | null;
  keyId: string | null;
  storeId: string | null;
  action: string | null;
}

/** Who uses: the part of an event that the caller decides; null: nobody, who is not counted. */
export function userOf(caller: Caller): Pick<UsageEvent, "userId" | "teamId" | "keyId"> | null {
  switch (caller.kind) {
    case "nobody":
      return null;
    case "server":
      return { userId: null, teamId: null, keyId: caller.keyId ?? "server" };
    case "admin":
      return caller.user === null ? { userId: null, teamId: null, keyId: "master" } : byPayer(caller.user);
    case "user":
      return byPayer(caller);
  }
}

export const byPayer = ({ userId, teamId, keyHash }: Payer) => ({ userId, teamId, keyId: keyHash });
