import { Router } from "express";
import type { Deps } from "../../core/deps.js";
import { renderMetrics } from "../../core/status/metrics.js";
import { refuseOthers } from "../route.js";

/** `/metrics` for Prometheus. Needs no key, so it has only numbers, no id and no name of a store. */
export function metricsRouter(deps: Deps): Router {
  const router = Router({ caseSensitive: true });
  router.get("/metrics", async (_req, res) => {
    const { contentType, text } = await renderMetrics(deps);
    res.set({ "content-type": contentType, "cache-control": "no-store" }).send(text);
  });
  refuseOthers(router, "/metrics", ["get"]);
  return router;
}
