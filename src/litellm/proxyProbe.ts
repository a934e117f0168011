import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import { createMetrics } from "../process/metrics.js";
import { withoutLogin } from "../process/shownSettings.js";
import { connectionCode } from "../words/readable.js";
import type { ProxyProbe, Readiness } from "./contract.js";
import { createLitellm } from "./litellm.js";

/** Looks at the proxy of the settings; null: LITELLM_PROXY_URL is not set. */
export function createProxyProbe(config: EmbeddingConfig, log: Log): ProxyProbe | null {
  const { baseUrl } = config;
  if (baseUrl === null) return null;
  return {
    url: withoutLogin(baseUrl),
    readiness: (limitMs) => askReadiness(baseUrl, limitMs),
    litellm: () => createLitellm({ ...config, retryBudgetMs: 0 }, log, createMetrics()),
  };
}

async function askReadiness(baseUrl: string, limitMs: number): Promise<Readiness> {
  try {
    const answer = await fetch(`${baseUrl}/health/readiness`, { signal: AbortSignal.timeout(limitMs) });
    const body: unknown = await answer.json().catch(() => null);
    const database =
      typeof body === "object" && body !== null && "db" in body && typeof body.db === "string" ? body.db : null;
    return { status: answer.status, database, failure: null };
  } catch (error) {
    return { status: null, database: null, failure: connectionCode(error) };
  }
}
