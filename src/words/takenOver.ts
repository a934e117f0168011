import type { StorePermission } from "./caller.js";
import type { UsageEvent } from "./usage.js";

/** Who may use stores and who used them, as another database recorded it, and what that means here. */

/** A row of litellm-vector-store's `store_permissions`, or of another installation's `vector_store_permissions`. */
export interface ForeignPermission {
  storeId: string;
  /** `user:ID`, `team:ID` or `everyone`. litellm-vector-store knows only users. */
  subject: string;
  permission: string | null;
}

/** A row of `usage_stats`. */
export interface ForeignUse {
  id: string;
  userId: string;
  /** Null: the store was deleted. */
  storeId: string | null;
  action: string;
  tokens: number | null;
  seconds: number | null;
  /** Unix milliseconds. */
  at: number | null;
}

/** A permission to grant here. */
export interface TakenGrant {
  storeId: string;
  subject: string;
  permission: StorePermission;
}

/**
 * litellm-vector-store has no list of permissions, only `read` as the default. These are the words that can mean
 * nothing else; nobody gets more than the word says.
 */
const meanings: Readonly<Record<StorePermission, readonly string[]>> = {
  read: ["read", "reader", "readonly", "view", "viewer"],
  write: ["write", "writer", "readwrite", "edit", "editor"],
  admin: ["admin", "administrator", "manage", "manager", "owner"],
};

const isSubject = /^(everyone|(user|team):.{1,256})$/su;

/** Null: the row names nobody, or a permission of which nobody knows what it allowed. */
export function grantOf({ storeId, subject, permission }: ForeignPermission): TakenGrant | null {
  const word = permission?.toLowerCase().replaceAll(/[\s_-]/g, "") ?? "";
  const [meant] = (Object.keys(meanings) as StorePermission[]).filter((each) => meanings[each].includes(word));
  if (meant === undefined || !isSubject.test(subject)) return null;
  return { storeId, subject, permission: meant };
}

/** The row for messages. */
export const namePermission = ({ storeId, subject, permission }: ForeignPermission): string => {
  const [, kind = "", id = ""] = /^(user|team):(.*)$/su.exec(subject) ?? [];
  const whom = kind === "" ? subject : `the ${kind} "${id}"`;
  return `${permission === null ? "nothing" : `"${permission}"`} for ${whom} on ${storeId}`;
};

/**
 * The request that a row counts, under its own id, so that it is never counted twice. Its key and team were not
 * recorded, nor whether it failed.
 * @returns null if it has no time, or numbers that are none
 */
export function eventOf({ id, userId, storeId, action, tokens, seconds, at }: ForeignUse): UsageEvent | null {
  const durationMs = Math.round((seconds ?? 0) * 1000);
  const known = at !== null && Number.isSafeInteger(durationMs) && durationMs >= 0 && (tokens ?? 0) >= 0;
  if (!known) return null;
  return {
    id: `use_${id}`,
    at,
    userId,
    teamId: null,
    keyId: "",
    storeId,
    action,
    tokens: tokens ?? 0,
    durationMs,
    status: 200,
  };
}
