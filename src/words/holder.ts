/** Whose something is: a user's, a team's, or that of a key which belongs to nobody. */
export interface Holder {
  readonly kind: "user" | "team" | "key";
  readonly id: string;
}

/** What somebody has here. */
export interface Holdings {
  stores: number;
  /** Of these stores. */
  rows: number;
  bytes: number;
  files: number;
  fileBytes: number;
  /** Permissions on vector stores of others. */
  permissions: number;
}
