import type { CookieOptions, Request, Response } from "express";

/*
 * The cookie of a session. Under TLS its name begins with `__Host-`: no other host, and nothing without TLS, can then
 * write it.
 */

const [secureName, plainName] = ["__Host-vector-store", "vector-store-session"] as const;

/** How the cookie was sent is how it has to be cleared. */
const optionsOf = (secure: boolean): CookieOptions => ({ httpOnly: true, sameSite: "strict", path: "/", secure });

/** Gives the browser the token. Only the Origin tells whether the page came through TLS, which a proxy may end. */
export function setSessionCookie(req: Request, res: Response, token: string, milliseconds: number): void {
  const secure = req.headers.origin?.startsWith("https://") === true;
  res.cookie(secure ? secureName : plainName, token, { ...optionsOf(secure), maxAge: milliseconds });
  // Of an earlier sign-in to the same host without TLS.
  if (secure) res.clearCookie(plainName, optionsOf(false));
}

export function clearSessionCookie(res: Response): void {
  res.clearCookie(secureName, optionsOf(true));
  res.clearCookie(plainName, optionsOf(false));
}

/**
 * The token that a request brings; null: none. The plain cookie counts only where the page came without TLS, because
 * any sibling of a host can write it, and so sign somebody in as somebody else.
 */
export function sessionToken(req: Request): string | null {
  const pairs = (req.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const valuesOf = (name: string) =>
    pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  const [secure] = valuesOf(secureName);
  if (secure !== undefined) return secure;
  const [plain, ...others] = valuesOf(plainName);
  return plain === undefined || others.length > 0 || cameThroughTls(req) ? null : plain;
}

/** Browsers tell where a request comes from only to servers behind TLS, and to this machine's own. */
const cameThroughTls = ({ headers }: Request) =>
  headers["sec-fetch-site"] !== undefined &&
  !/^(localhost|127\.[\d.]+|\[::1\]|.+\.localhost)(:\d+)?$/i.test(headers.host ?? "");
