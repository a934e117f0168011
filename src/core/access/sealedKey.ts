import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";

/*
 * The key of a session, encrypted so that only the browser's token opens it. The database has the token's SHA-256 and
 * the sealed key: neither leads to the other without 256 bits that are nowhere but in the cookie.
 */

const tokenBytes = 32;
const algorithm = "aes-256-gcm";
const [ivBytes, tagBytes] = [12, 16];
const purpose = "vector-store session key 1";

export const newToken = (): string => randomBytes(tokenBytes).toString("base64url");

/** The bytes of a token; null: the text is not a token. */
export function readToken(text: string): Buffer | null {
  if (!/^[\w-]{43}$/.test(text)) return null;
  const token = Buffer.from(text, "base64url");
  // Two texts may stand for the same bytes; only the one that was given out counts.
  return token.toString("base64url") === text ? token : null;
}

/** What a session is found by. */
export const hashOf = (token: Buffer): Buffer => hash("sha256", token, "buffer");

const keyOf = (token: Buffer, id: string) => Buffer.from(hkdfSync("sha256", token, id, purpose, 32));

/** @param id of the session, to which the result is bound: it opens in no other row */
export function seal(key: string, token: Buffer, id: string): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, keyOf(token, id), iv).setAAD(Buffer.from(id));
  const text = Buffer.concat([cipher.update(key, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), text]);
}

/** @returns null if the token is another one, or something was changed */
export function open(sealed: Buffer, token: Buffer, id: string): string | null {
  const [iv, tag] = [sealed.subarray(0, ivBytes), sealed.subarray(ivBytes, ivBytes + tagBytes)];
  if (tag.length < tagBytes) return null;
  const decipher = createDecipheriv(algorithm, keyOf(token, id), iv, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(id)).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}
