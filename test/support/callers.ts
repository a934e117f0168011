import { hash } from "node:crypto";
import type { Caller, User } from "../../src/words/caller.js";
import { Secret } from "../../src/words/secret.js";

/** A caller with a LiteLLM key: of this user, unless `more` says otherwise. */
export const user = (name: string, more: Partial<User> & { secret?: string } = {}): Caller & User => {
  const { secret = `sk-${name}`, ...rest } = more;
  const keyHash = hash("sha256", secret, "hex");
  return { kind: "user", userId: name, teamId: null, keyHash, key: new Secret(secret), onlyStores: null, ...rest };
};

/** The holder of LiteLLM's master key. */
export const master: Caller = { kind: "admin", readOnly: false, user: null };
