import { createHmac, hash, randomBytes } from "node:crypto";

export const identitySecret = "a secret of 32 bytes for the tests";

/** What the callback file signs for a key of LiteLLM. */
export interface Claims {
  sub?: string | null;
  team?: string | null;
  /** The key itself; the token has its hash. */
  by?: string;
  op: string;
  store?: string | null;
  [further: string]: unknown;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as chart/files/vector_store_identity.py signs it; any claim can be replaced or, with undefined, left out. */
export function signIdentity(
  { by = "sk-nobody", ...given }: Claims,
  { secret = identitySecret, header = { alg: "HS256", typ: "JWT" } } = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "litellm",
    aud: "vector-store",
    iat: now,
    exp: now + 60,
    jti: randomBytes(16).toString("hex"),
    sub: null,
    team: null,
    key: by === "master" ? "litellm_proxy_master_key" : hash("sha256", by, "hex"),
    role: "internal_user",
    store: null,
    ...given,
  };
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}
