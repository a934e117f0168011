import express, { type Express } from "express";
import helmet from "helmet";
import type { Deps } from "../core/deps.js";
import { ApiError } from "../words/errors.js";
import { adminPage } from "./adminPage.js";
import { allowOrigins } from "./middleware/allowOrigins.js";
import { observeRequests } from "./middleware/observe.js";
import { renderError } from "./middleware/renderError.js";
import { usualPageDirectory } from "./pageFiles.js";
import { mount } from "./route.js";
import { adminKeyRoutes } from "./routes/adminKeys.js";
import { adminLitellmKeyRoutes } from "./routes/adminLitellmKeys.js";
import { adminOwnerRoutes } from "./routes/adminOwners.js";
import { adminPeopleRoutes } from "./routes/adminPeople.js";
import { adminStatusRoutes } from "./routes/adminStatus.js";
import { adminStoreRoutes } from "./routes/adminStores.js";
import { docsRouter } from "./routes/docs.js";
import { embeddingRoutes } from "./routes/embeddings.js";
import { fileBatchRoutes } from "./routes/fileBatches.js";
import { fileRoutes } from "./routes/files.js";
import { healthRoutes } from "./routes/health.js";
import { metricsRouter } from "./routes/metrics.js";
import { modelRoutes } from "./routes/models.js";
import { meRoutes } from "./routes/me.js";
import { permissionRoutes } from "./routes/permissions.js";
import { ragRoutes } from "./routes/rag.js";
import { rerankRoutes } from "./routes/rerank.js";
import { searchRoutes } from "./routes/search.js";
import { sessionRoutes } from "./routes/sessions.js";
import { storeFileRoutes } from "./routes/storeFiles.js";
import { limitRoutes } from "./routes/limits.js";
import { usageRoutes } from "./routes/usage.js";
import { uploadRoutes } from "./routes/uploads.js";
import { vectorStoreRoutes } from "./routes/vectorStores.js";

export const apiRoutes = [
  ...vectorStoreRoutes,
  ...fileRoutes,
  ...uploadRoutes,
  ...storeFileRoutes,
  ...fileBatchRoutes,
  ...embeddingRoutes,
  ...searchRoutes,
  ...rerankRoutes,
  ...ragRoutes,
  ...permissionRoutes,
  ...modelRoutes,
  ...usageRoutes,
  ...limitRoutes,
  ...meRoutes,
  ...sessionRoutes,
  ...adminKeyRoutes,
  ...adminStoreRoutes,
  ...adminPeopleRoutes,
  ...adminLitellmKeyRoutes,
  ...adminOwnerRoutes,
  ...adminStatusRoutes,
  ...healthRoutes,
];

/**
 * LiteLLM appends `/v1/vector_stores` to an api_base that often already ends in `/v1`; older versions append
 * `/vector_stores`.
 */
const prefixes = ["/v1/v1", "/v1", "/"];

/** The Express app of a server. @param pageDirectory where the web page was built */
export function buildApp(deps: Deps, pageDirectory = usualPageDirectory): Express {
  const { corsOrigins, apiUrl, page } = deps.config;
  const web = page.on ? adminPage(page.basePath, pageDirectory) : null;
  return build(deps, (app) => {
    if (corsOrigins !== null) app.use(allowOrigins(corsOrigins));
    if (web !== null) app.use(web.router);
    const home = async () => (web !== null && (await web.isBuilt()) ? page.basePath : "/docs");
    app.use(docsRouter(apiRoutes, apiUrl, home));
    const api = mount(apiRoutes, deps);
    for (const prefix of prefixes) app.use(prefix, api);
  });
}

/** The Express app of a worker: probes and metrics, no API, and therefore no key. */
export function buildWorkerApp(deps: Deps): Express {
  return build(deps, (app) => {
    app.use(mount(healthRoutes, deps));
  });
}

function build(deps: Deps, addRoutes: (app: Express) => void): Express {
  const app = express();
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("trust proxy", [...deps.config.trustedProxies]);
  app.use(helmet());
  app.use(observeRequests(deps.log, deps.metrics));
  app.use(metricsRouter(deps));
  addRoutes(app);
  app.use((req) => {
    throw new ApiError(404, `Unknown request URL: ${req.method} ${req.path.slice(0, 200)}.`, { code: "unknown_url" });
  });
  app.use(renderError(deps.log));
  return app;
}
