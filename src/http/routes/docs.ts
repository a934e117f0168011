import { Router } from "express";
import { version } from "../../process/version.js";
import { renderDocs } from "../docsPage.js";
import { buildOpenApi } from "../openapi.js";
import { type Route, refuseOthers } from "../route.js";
import { docsScript } from "../docs/script.js";

/** The page runs its own script and speaks to this server only; it loads, embeds and submits nothing else. */
const policy =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function once<T extends object | string>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/**
 * `/openapi.json`, its readable form at `/docs`, and the way to them at `/`. Public: nothing that is stored shows.
 * @param home where `/` leads a browser
 */
export function docsRouter(routes: readonly Route[], apiUrl: string | null, home: () => Promise<string>): Router {
  // Made when somebody first asks, because it takes most of a start's processor time, and programs rarely do.
  const document = once(() => buildOpenApi(routes, apiUrl));
  const json = once(() => JSON.stringify(document()));
  const html = once(() => renderDocs(document()));
  const router = Router();
  // A browser is shown a page; programs are told where the reference is.
  router.get("/", async (req, res) => {
    res.vary("accept");
    if (req.accepts(["json", "html"]) === "html") res.redirect(302, `.${await home()}`);
    else res.json({ name: "vector-store", version, docs: "/docs", openapi: "/openapi.json", health: "/health" });
  });
  refuseOthers(router, "/", ["get"]);
  for (const path of ["/openapi.json", "/v1/openapi.json"]) {
    router.get(path, (_req, res) => {
      res.type("application/json").send(json());
    });
    refuseOthers(router, path, ["get"]);
  }
  router.get("/docs", (_req, res) => {
    res.set("content-security-policy", policy).type("html").send(html());
  });
  refuseOthers(router, "/docs", ["get"]);
  router.get("/docs.js", (_req, res) => {
    res.type("text/javascript").send(docsScript);
  });
  refuseOthers(router, "/docs.js", ["get"]);
  return router;
}
