import { databaseVersions } from "../db/ping.js";
import { version } from "../version.js";
import type { Deps } from "./deps.js";

/** A probe that waits longer than this is a failed probe: Kubernetes' own limit is often a few seconds. */
const limitMs = 2000;

export interface Health {
  healthy: boolean;
  version: string;
  database: { kind: "postgres" | "pglite"; healthy: boolean; server: string | null; pgvector: string | null };
  embedding: { model: string; dimensions: number; builtIn: boolean; breaker: "closed" | "open" | "half-open" };
}

/** Healthy means: the database answers. A model that is away is reported, but must not take the pod out of service. */
export async function health(deps: Deps): Promise<Health> {
  const versions = await withinLimit(databaseVersions(deps.db)).catch(() => null);
  const { model, dimensions, builtIn } = deps.litellm.embedder;
  return {
    healthy: versions !== null,
    version,
    database: {
      kind: deps.db.kind,
      healthy: versions !== null,
      server: versions?.server ?? null,
      pgvector: versions?.pgvector ?? null,
    },
    embedding: { model, dimensions, builtIn, breaker: deps.litellm.state().breaker },
  };
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("time limit"));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
