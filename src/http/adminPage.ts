import { randomBytes } from "node:crypto";
import { type NextFunction, type Request, type Response, Router } from "express";
import { ApiError } from "../words/errors.js";
import { type BuiltPage, type PageFile, readPage } from "./pageFiles.js";
import { refuseOthers } from "./route.js";
import { sessionToken } from "./sessionCookie.js";

/** The page runs and loads only what this server gives it. Styles that its scripts add carry the nonce. */
const policy = (nonce: string | null) =>
  `default-src 'none'; script-src 'self'; style-src 'self'${nonce === null ? "" : ` 'nonce-${nonce}'`}; ` +
  "img-src 'self' data: blob:; " +
  "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'";

export interface AdminPage {
  router: Router;
  /** Whether there is a page to lead a browser to. */
  isBuilt: () => Promise<boolean>;
}

/**
 * The built web page, below `base`: index.html for every path that a browser navigates to, so that links into the page
 * work, and the files that it names. Public, since nothing that is stored is in it. Whatever else is asked for below
 * `base` falls through to the API, whose paths without /v1 begin with /admin, too.
 */
export function adminPage(base: string, directory: string): AdminPage {
  let built: BuiltPage | null = null;
  // Once there is a page it stays as it is until the next start.
  const read = async () => (built ??= await readPage(directory));
  const router = Router({ caseSensitive: true });

  const index = async (req: Request, res: Response) => {
    const page = await read();
    const nonce = randomBytes(16).toString("base64");
    res.set("content-security-policy", policy(nonce)).set("cache-control", "no-store").type("html");
    if (page === null) res.status(503).send(unbuilt);
    else {
      const words = { __CSP_NONCE__: nonce, __BASE_PATH__: base, __SIGNED_IN__: signedIn(req) };
      res.send(Object.entries(words).reduce((html, [name, word]) => html.replaceAll(name, word), page.html));
    }
  };
  const file = async (req: Request, res: Response, next: NextFunction) => {
    const path = req.path.slice(base.length + 1);
    const found = (await read())?.files.get(path);
    if (found !== undefined) sendFile(req, res, found);
    else if (path.startsWith("assets/")) throw unknown(req);
    // `*/*` is a program.
    else if (req.accepts(["json", "html"]) === "html") await index(req, res);
    else next();
  };

  router.get(base, index);
  refuseOthers(router, base, ["get"]);
  router.get(`${base}/*path`, file);
  refuseOthers(router, `${base}/assets/*path`, ["get"]);
  return { router, isBuilt: async () => (await read()) !== null };
}

/**
 * Whether the browser has a cookie of a session: scripts cannot see it, and asking in vain looks like a fault in the
 * browser's console. Through a link of another site it comes here without the cookie that it has, and without TLS it
 * does not say from where it comes: then only the page can find out.
 */
function signedIn(req: Request): "yes" | "no" | "unknown" {
  if (sessionToken(req) !== null) return "yes";
  const from = req.headers["sec-fetch-site"];
  return from === undefined || from === "cross-site" ? "unknown" : "no";
}

function sendFile(req: Request, res: Response, { type, immutable, versions }: PageFile): void {
  const encoding = (["br", "gzip"] as const).find((each) => versions[each] && req.acceptsEncodings(each) === each);
  const version = versions[encoding ?? "identity"];
  res.vary("accept-encoding");
  if (version === undefined) throw unknown(req);
  if (encoding !== undefined) res.set("content-encoding", encoding);
  res
    .set("content-security-policy", policy(null))
    .set("cache-control", immutable ? "public, max-age=31536000, immutable" : "no-cache")
    .set("etag", version.etag)
    .type(type)
    .send(version.body);
}

const unknown = ({ method, path }: Request) =>
  new ApiError(404, `Unknown request URL: ${method} ${path.slice(0, 200)}.`, { code: "unknown_url" });

const unbuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The page is not built</title>
<p>This page is not built yet: run <code>npm run ui:build</code> in the project's folder, then load it again.</p>
</html>
`;
