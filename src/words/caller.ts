import type { Secret } from "./secret.js";

/** What somebody may do with a vector store; each includes those before it. */
export const storePermissions = ["read", "write", "admin"] as const;
export type StorePermission = (typeof storePermissions)[number];

/** What one of the service's own keys may do; each includes those before it. `admin`: the admin routes, too. */
export const keyScopes = ["search", "read", "write", "admin"] as const;
export type KeyScope = (typeof keyScopes)[number];

/** Whose a store, a file or an upload is. All null: the service's own, which server keys and administrators see. */
export interface Owner {
  readonly userId: string | null;
  readonly teamId: string | null;
  /** A key that acts for itself: a LiteLLM key without user and team, or a server key limited to some stores. */
  readonly keyId: string | null;
}

/** Who sent a LiteLLM key. */
export interface User {
  /** Null for a service account's key, and for a key that belongs to nobody. */
  readonly userId: string | null;
  readonly teamId: string | null;
  /** SHA-256 of the key in hex, as LiteLLM names keys. */
  readonly keyHash: string;
  /** The key that took over what this one owned, while both work; absent: this one itself. */
  readonly heirHash?: string;
  /**
   * Sent to the proxy with each model call, so that the proxy checks the user's models, budget and limits. Null:
   * LiteLLM asks for the user and does not send the key, so another one pays for the user (`litellm/account.ts`).
   */
  readonly key: Secret | null;
  /** The only stores that LiteLLM lets the key and its team use (`object_permission`); null: it names none. */
  readonly onlyStores: readonly string[] | null;
}

/** Whom work is charged to when the caller's key is not at hand. */
export type Payer = Pick<User, "userId" | "teamId" | "keyHash">;

/**
 * Who makes a request. `nobody`: on a public route; sees nothing and may call no model. `server`: one of the service's
 * own keys; sees all stores, or those of its list, because whoever holds it decides for its users. `user`: a LiteLLM
 * key. `admin`: LiteLLM's master key (`user` is null then), or the LiteLLM key of an administrator; `readOnly` for
 * LiteLLM's role proxy_admin_viewer.
 */
export type Caller = Anyone & {
  readonly meter?: Meter;
  /** The scope of the service's key with which LiteLLM asks for this caller, who may do no more than it allows. */
  readonly through?: KeyScope;
  /** Where the request came from, for the audit log; absent: it is none. */
  readonly from?: Origin;
  /** The sign-in whose cookie the request has, in the place of a key. */
  readonly session?: { readonly id: string; readonly expiresAt: number };
};

export interface Origin {
  /** The client's; null: unknown. */
  readonly address: string | null;
  readonly requestId: string | null;
}

/** What a request, or the ingestion of a file, uses. */
export interface Meter {
  /** Of its model calls, as the proxy counted them. */
  tokens: number;
  /** The ids of stores whose limit of requests it is counted for. */
  readonly stores: Set<string>;
  /** The first store that was found for the caller, by its id as the database writes it; null: none. */
  found: string | null;
}

export const newMeter = (): Meter => ({ tokens: 0, stores: new Set(), found: null });

type Anyone =
  | { readonly kind: "nobody" }
  | {
      readonly kind: "server";
      /** Null: SERVER_API_KEY, or the key that the first start made. */
      readonly keyId: string | null;
      readonly scope: KeyScope;
      readonly onlyStores: readonly string[] | null;
      /** Named in LiteLLM's spend log, beside the service's own key, which pays. */
      readonly onBehalfOf?: Payer;
    }
  | ({ readonly kind: "user" } & User)
  | { readonly kind: "admin"; readonly readOnly: boolean; readonly user: User | null };

/** The holder of SERVER_API_KEY: everything except the admin routes. */
export const fullServer = { kind: "server", keyId: null, scope: "write", onlyStores: null } as const satisfies Caller;

/**
 * The service itself, for work that no request waits for: ingestion, imports by the command line, the doctor's checks.
 * Its model calls go to the service's own key.
 */
export const ownWork: Caller = { ...fullServer };

/**
 * The rows that a statement may see. `within` (db/scope.ts) puts it into the WHERE of every statement that finds a
 * store, a file or an upload for a caller.
 */
export type Scope =
  | { readonly kind: "all" }
  | { readonly kind: "none" }
  /** The stores of a list, and the files and uploads that the key itself made. */
  | { readonly kind: "listed"; readonly stores: readonly string[]; readonly keyId: string }
  /** What belongs or was granted to a user, a team or a key, as far as it permits `need`. */
  | {
      readonly kind: "held";
      readonly by: Owner;
      readonly need: StorePermission;
      readonly onlyStores: readonly string[] | null;
    };

/** What the caller's statements may see if the caller needs this permission; it goes into the SQL. */
export function scopeOf(caller: Caller, need: StorePermission): Scope {
  switch (caller.kind) {
    case "nobody":
      return { kind: "none" };
    case "server":
      return caller.onlyStores === null
        ? { kind: "all" }
        : { kind: "listed", stores: caller.onlyStores, keyId: caller.keyId ?? "" };
    case "admin":
      return caller.readOnly && need !== "read" ? { kind: "none" } : { kind: "all" };
    case "user":
      return { kind: "held", by: holder(caller), need, onlyStores: caller.onlyStores };
  }
}

/** Whose is what the caller makes. */
export function ownerOf(caller: Caller): Owner {
  switch (caller.kind) {
    case "nobody":
      return noOwner;
    case "server":
      return caller.onlyStores === null ? noOwner : { ...noOwner, keyId: caller.keyId };
    case "admin":
      return caller.user === null ? noOwner : holder(caller.user);
    case "user":
      return holder(caller);
  }
}

export const noOwner: Owner = { userId: null, teamId: null, keyId: null };

const holder = ({ userId, teamId, keyHash, heirHash }: User): Owner => ({
  userId,
  teamId,
  keyId: userId === null && teamId === null ? (heirHash ?? keyHash) : null,
});

/** Whom the caller's later work is charged to; null: the service. */
export function payerOf(caller: Caller): Payer | null {
  const user = caller.kind === "user" ? caller : caller.kind === "admin" ? caller.user : null;
  return user === null ? null : { userId: user.userId, teamId: user.teamId, keyHash: user.keyHash };
}
