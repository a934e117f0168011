import type { Holder } from "./holder.js";

/** By what administrators can sort all stores. */
export const storeSorts = ["created_at", "last_active_at", "name", "bytes", "rows"] as const;
export type StoreSort = (typeof storeSorts)[number];

/** Which stores an administrator asks for; null: all. */
export interface StoreFilter {
  /** The only one, as the database writes it. */
  readonly id: string | null;
  /** A part of the name, in upper or lower case. */
  readonly name: string | null;
  /** `none`: stores of the service itself. A team's stores are also those of its users' keys. */
  readonly owner: Holder | "none" | null;
}

/** The last store of a page: what it was sorted by, as it was then, and its id. */
export interface StorePlace {
  readonly value: string | null;
  readonly id: string;
}

export interface StoreTotals {
  stores: number;
  rows: number;
  bytes: number;
}
