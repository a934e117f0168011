import { version } from "../../process/version.js";
import type { Deps } from "../deps.js";
import type { IndexSummary } from "../../words/indexing.js";

/** Time limit for what a probe asks: Kubernetes' own limit is often a few seconds. */
export const limitMs = 2000;

export interface Health {
  healthy: boolean;
  version: string;
  database: { kind: "postgres" | "pglite"; healthy: boolean; server: string | null };
  /** Versions of what the engine runs on; null if they did not arrive in time. */
  engine: { versions: Readonly<Record<string, string>> | null };
  /** Null if it did not arrive in time. */
  indexing: IndexSummary | null;
  embedding: { model: string; dimensions: number; builtIn: boolean; breaker: "closed" | "open" | "half-open" };
}

/**
 * Healthy means that the database answers. An unreachable model or an unknown index state is reported, but must not
 * take the pod out of service.
 */
export async function readHealth(deps: Deps): Promise<Health> {
  const deadline = performance.now() + limitMs;
  const [server, versions, indexing] = await Promise.all([
    orNull(deps.db.ping(limitMs)),
    orNull(deps.engine.versions({ deadline })),
    orNull(deps.engine.summary({ deadline })),
  ]);
  const { model, dimensions, builtIn } = deps.litellm.embedder;
  return {
    healthy: server !== null,
    version,
    database: {
      kind: deps.db.kind,
      healthy: server !== null,
      server,
    },
    engine: { versions },
    indexing,
    embedding: { model, dimensions, builtIn, breaker: deps.litellm.state().breaker },
  };
}

/**
 * Why the service is not ready for requests; null: it is. A probe asks every few seconds, so this only checks the
 * database, and not on a connection for which requests queue: a busy replica must not be taken out of service.
 */
export async function whyUnready(deps: Deps): Promise<string | null> {
  if (deps.stopping.aborted) return "The service is stopping.";
  return (await orNull(deps.db.ping(limitMs))) === null ? "The database does not answer." : null;
}

const orNull = <T>(work: Promise<T>): Promise<T | null> => work.catch(() => null);

/** Waits for work for at most two seconds; then throws, while the work goes on. */
export async function withinLimit<T>(work: Promise<T>): Promise<T> {
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
