import { Router } from "express";
import type { Metrics } from "../../core/metrics.js";
import { refuseOthers } from "../route.js";

/** `/metrics` for Prometheus, which scrapes without a key: numbers only, no id and no name of a store. */
export function metricsRouter(metrics: Metrics): Router {
  const router = Router({ caseSensitive: true });
  router.get("/metrics", async (_req, res) => {
    res.set({ "content-type": metrics.contentType, "cache-control": "no-store" }).send(await metrics.render());
  });
  refuseOthers(router, "/metrics", ["get"]);
  return router;
}
