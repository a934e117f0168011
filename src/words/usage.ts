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

/** In which order sums by groups come, after the last day: the largest number of requests first, or by the groups. */
export type UsageOrder = "requests" | "groups";

/** Where a page of sums has ended: the values of its last row in the order of `placeColumns`. */
export type UsagePlace = readonly string[];

/** By what sums are ordered; together they name one row. */
export const placeColumns = (
  groups: readonly UsageGroup[],
  order: UsageOrder,
): readonly (UsageGroup | "requests")[] => [
  ...groups.filter((group) => group === "day"),
  ...(order === "requests" ? (["requests"] as const) : []),
  ...groups.filter((group) => group !== "day"),
];

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
