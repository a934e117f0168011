import { z } from "zod";
import { type Health, readHealth, whyUnready } from "../../core/status/health.js";
import { unavailable } from "../../words/errors.js";
import { route } from "../route.js";
import { seconds } from "../wire/common.js";
import { indexingAnswer, presentIndexing } from "../wire/indexing.js";

const tag = "Health";

const healthAnswer = z
  .object({
    status: z.enum(["healthy", "unhealthy"]),
    timestamp: z.int(),
    version: z.string(),
    database: z.object({
      status: z.enum(["healthy", "unhealthy"]),
      kind: z.enum(["postgres", "pglite"]),
      version: z.string().nullable(),
      pgvector: z.string().nullable().describe("null if the engine is another"),
    }),
    embedding: z.object({
      model: z.string(),
      dimensions: z.int(),
      provider: z.enum(["litellm", "built-in"]),
      semantic: z.boolean(),
      circuit: z.enum(["closed", "open", "half-open"]),
      note: z.string().optional(),
    }),
    indexing: indexingAnswer.nullable().describe("null if it could not be read in time"),
    error: z.unknown().optional(),
  })
  .meta({ id: "Health" });

/** litellm-pgvector's `{status, timestamp}`, then details for operators. */
function presentHealth(state: Health, now: number): z.input<typeof healthAnswer> {
  const { database, embedding, engine } = state;
  const word = (healthy: boolean) => (healthy ? "healthy" : "unhealthy");
  return {
    status: word(state.healthy),
    timestamp: seconds(now),
    version: state.version,
    database: {
      status: word(database.healthy),
      kind: database.kind,
      version: database.server,
      pgvector: engine.versions?.pgvector ?? null,
    },
    embedding: {
      model: embedding.model,
      dimensions: embedding.dimensions,
      provider: embedding.builtIn ? "built-in" : "litellm",
      semantic: !embedding.builtIn,
      circuit: embedding.breaker,
      ...(embedding.builtIn
        ? {
            note: "The built-in embedder compares words, not meaning. Set LITELLM_PROXY_URL and EMBEDDING__MODEL for semantic search.",
          }
        : {}),
    },
    indexing: state.indexing && presentIndexing(state.indexing),
    ...(state.healthy ? {} : { error: unavailable("The database does not answer.").envelope.error }),
  };
}

export const healthRoutes = [
  route({
    id: "getHealth",
    method: "get",
    path: "/health",
    may: "public",
    tag,
    summary: "State of the service; 503 if the database does not answer",
    answer: healthAnswer,
    alsoStatus: { status: 503, when: "The database does not answer; the body has the details" },
    handle: async ({ deps, res }) => {
      const state = await readHealth(deps);
      res.status(state.healthy ? 200 : 503);
      return presentHealth(state, deps.now());
    },
  }),
  route({
    id: "getLiveness",
    method: "get",
    path: "/livez",
    may: "public",
    tag,
    summary: "Liveness: the process answers",
    answer: z.object({ status: z.literal("ok") }),
    handle: () => ({ status: "ok" }),
  }),
  route({
    id: "getReadiness",
    method: "get",
    path: "/readyz",
    may: "public",
    tag,
    summary: "Readiness: the database answers, and the service is not stopping",
    answer: z.object({ status: z.literal("ok") }),
    handle: async ({ deps }) => {
      const why = await whyUnready(deps);
      if (why !== null) throw unavailable(why);
      return { status: "ok" };
    },
  }),
];
