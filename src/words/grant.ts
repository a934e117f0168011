import type { StorePermission } from "./caller.js";

/** A permission on a vector store. */
export interface Grant {
  /** `user:ID`, `team:ID`, or `everyone`: all whose LiteLLM key is known. */
  subject: string;
  permission: StorePermission;
  /** Unix milliseconds. */
  grantedAt: number;
  /** As the audit log names its actors. */
  grantedBy: string;
}
