/** Whose something is: a user's, a team's, or that of a key which belongs to nobody. */
export interface Holder {
  readonly kind: "user" | "team" | "key";
  readonly id: string;
}
