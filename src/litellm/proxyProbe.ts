import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import { createMetrics } from "../process/metrics.js";
import { connectionCode } from "../words/readable.js";
import type { ProxyProbe, Readiness } from "./contract.js";
import { createLitellm } from "./litellm.js";

/** Looks at the proxy of the settings; null: there is none. */
export function createProxyProbe(config: EmbeddingConfig, log: Log): ProxyProbe | null {
  const { baseUrl } = config;
  if (baseUrl === null) return null;
  return {
    url: withoutLogin(baseUrl),
    readiness: (limitMs) => askReadiness(baseUrl, limitMs),
    litellm: () => createLitellm({ ...config, retryBudgetMs: 0 }, log, createMetrics()),
  };
}

/** A URL as it may be shown. */
function withoutLogin(url: string): string {
  const shown = new URL(url);
  if (shown.username === "" && shown.password === "") return url;
  shown.username = shown.password = "";
  return shown.toString().replace(/\/$/, "");
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
