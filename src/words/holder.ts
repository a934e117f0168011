/** Whose something is: a user's, a team's, or that of a key which belongs to nobody. */
export interface Holder {
  readonly kind: "user" | "team" | "key";
  readonly id: string;
}

/** As permissions name their subjects: `user:ID`. */
export const holderName = ({ kind, id }: Holder): string => `${kind}:${id}`;

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
