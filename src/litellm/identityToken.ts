import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { teamOf } from "./directory.js";
import type { ReadIdentity } from "./keyContract.js";

/** {"alg":"HS256","typ":"JWT"}. Our callback writes no other header, so a token never chooses how it is checked. */
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const shape = new RegExp(`^${header}\\.([A-Za-z0-9_-]{1,4000})\\.([A-Za-z0-9_-]{43})$`);
/** How far the clocks of LiteLLM and of this service may be apart. */
const skewSeconds = 30;
const longestLifeSeconds = 60;
/** LiteLLM's name of its master key, where other keys have their SHA-256. */
const masterKey = "litellm_proxy_master_key";

const name = z
  .string()
  .max(500)
  .nullable()
  .transform((text) => (text === "" ? null : text));
const claims = z.object({
  iss: z.literal("litellm"),
  aud: z.literal("vector-store"),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(16).max(100),
  sub: name,
  team: name,
  key: z.union([z.literal(masterKey), z.string().regex(/^[0-9a-f]{64}$/)]),
  role: name,
  op: z.string().max(100),
  store: name,
});

/**
 * Reads the tokens of chart/files/vector_store_identity.py: JWTs with HS256.
 * @param secrets any of which may have signed; none: no token is accepted
 * @param now Unix milliseconds
 */
export function createIdentityReader(secrets: readonly string[], now: () => number): ReadIdentity {
  const keys = secrets.map((secret) => createSecretKey(secret, "utf8"));
  return (token) => {
    if (keys.length === 0) return { problem: "this server has no LITELLM_IDENTITY_SECRET to check it with" };
    const [, payload = "", signature = ""] = shape.exec(token) ?? [];
    if (payload === "") return { problem: "it is not one of vector_store_identity.py" };
    // Always with every key, so that the time does not tell which of them signed.
    const isSigned = keys.map((key) => isBy(key, payload, signature)).includes(true);
    if (!isSigned) return { problem: "its signature is wrong; LiteLLM and this server must have the same secret" };
    const read = claims.safeParse(parse(payload));
    if (!read.success) return { problem: `its claims are wrong: ${read.error.issues[0]?.path.join(".") ?? ""}` };
    const { iat, exp, sub, team, key, role, op, store } = read.data;
    const seconds = now() / 1000;
    if (exp <= iat || exp - iat > longestLifeSeconds) return { problem: "its lifetime is wrong" };
    if (seconds < iat - skewSeconds) return { problem: "it is from the future; check the clocks" };
    if (seconds >= exp + skewSeconds) return { problem: "it has expired; check the clocks" };
    const keyHash = key === masterKey ? null : key;
    return { identity: { userId: sub, teamId: teamOf(team), keyHash, role, operation: op, storeId: store } };
  };
}

/** Compares texts, not bytes: base64 could spell the same bytes in several ways. */
function isBy(key: KeyObject, payload: string, signature: string): boolean {
  const expected = createHmac("sha256", key).update(`${header}.${payload}`).digest("base64url");
  return timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString()) as unknown;
  } catch {
    return null;
  }
}
