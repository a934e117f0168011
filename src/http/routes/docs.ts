import { Router } from "express";
import { renderDocs } from "../docsPage.js";
import { buildOpenApi } from "../openapi.js";
import type { Route } from "../route.js";

/** `/openapi.json` and its readable form at `/docs`, open to everybody: they say nothing of what is stored. */
export function docsRouter(routes: readonly Route[], apiUrl: string | null): Router {
  const document = buildOpenApi(routes, apiUrl);
  const json = JSON.stringify(document);
  const html = renderDocs(document);
  const router = Router();
  router.get(["/openapi.json", "/v1/openapi.json"], (_req, res) => {
    res.type("application/json").send(json);
  });
  router.get("/docs", (_req, res) => {
    res.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'").type("html").send(html);
  });
  return router;
}
