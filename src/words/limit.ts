import type { Caller, Owner } from "./caller.js";

/** What a user, a team, a key or a vector store may use at most; null: without a limit. */
export interface Limits {
  /** Vector stores that belong to it. */
  readonly vectorStores: number | null;
  /** Bytes of the contents of its vector stores, and of its files. */
  readonly bytes: number | null;
  readonly requestsPerMinute: number | null;
}

/** An administrator's limits of one subject. Those that are absent are the settings'. */
export interface LimitEntry {
  /** `user:ID`, `team:ID`, `key:ID` or `store:ID`. */
  subject: string;
  limits: Partial<Limits>;
  setAt: number;
  setBy: string;
}

export type SubjectKind = "user" | "team" | "key" | "store";

/** The subjects whose limits hold for what belongs to an owner. */
export const subjectsOfOwner = ({ userId, teamId, keyId }: Owner): string[] => [
  ...(userId === null ? [] : [`user:${userId}`]),
  ...(teamId === null ? [] : [`team:${teamId}`]),
  ...(keyId === null ? [] : [`key:${keyId}`]),
];

/** The subjects whose limits hold for a caller's requests. An administrator, who sets the limits, has none there. */
export function subjectsOf(caller: Caller): string[] {
  switch (caller.kind) {
    case "nobody":
    case "admin":
      return [];
    case "server":
      return caller.keyId === null ? [] : [`key:${caller.keyId}`];
    case "user":
      return subjectsOfOwner({ ...caller, keyId: caller.keyHash });
  }
}
