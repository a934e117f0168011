import { z } from "zod";
import type { Finding } from "../../core/status/doctor/findings.js";
import type { Overview } from "../../core/status/overview.js";
import type { ShownSetting } from "../../process/shownSettings.js";
import { seconds } from "./common.js";
import { indexingAnswer, presentIndexing } from "./indexing.js";

const healthy = z.enum(["healthy", "unhealthy"]);

export const statusAnswer = z
  .object({
    object: z.literal("status"),
    timestamp: z.int(),
    version: z.string(),
    started_at: z.int(),
    database: z.object({
      status: healthy,
      kind: z.enum(["postgres", "pglite"]),
      version: z.string().nullable(),
      pgvector: z.string().nullable(),
    }),
    proxy: z
      .object({
        status: healthy.describe("`healthy`: it answers, and has its database, if it has one"),
        url: z.string(),
        database: z.string().nullable().describe("what LiteLLM says of its database; null: nothing"),
        error: z.string().nullable().describe("why it does not answer; null: it does"),
        circuit: z.enum(["closed", "open", "half-open"]),
        model: z.string(),
        dimensions: z.int(),
      })
      .nullable()
      .describe("the LiteLLM proxy; null: none is configured"),
    contents: z
      .object({
        vector_stores: z.object({ count: z.int(), rows: z.int(), bytes: z.int() }),
        files: z.object({ count: z.int(), bytes: z.int() }).describe("uploaded files"),
        attached_files: z
          .object({
            in_progress: z.int(),
            completed: z.int(),
            failed: z.int(),
            cancelled: z.int(),
            failed_last_day: z.int(),
          })
          .describe("files of vector stores, by their status"),
        ingestion: z.object({
          waiting: z.int(),
          running: z.int(),
          postponed: z.int(),
          oldest_seconds: z.int(),
          concurrency: z.int(),
        }),
        sessions: z.int().describe("people who are signed in to the web page, by browser"),
      })
      .nullable()
      .describe("null: the database did not count them within two seconds"),
    indexing: indexingAnswer.nullable().describe("null if it could not be read in time"),
  })
  .meta({ id: "ServiceStatus" });

export function presentOverview(
  { health, startedAt, proxy, contents }: Overview,
  { now, concurrency }: { now: number; concurrency: number },
): z.input<typeof statusAnswer> {
  const { database, engine, embedding, indexing } = health;
  return {
    object: "status",
    timestamp: seconds(now),
    version: health.version,
    started_at: seconds(startedAt),
    database: {
      status: database.healthy ? "healthy" : "unhealthy",
      kind: database.kind,
      version: database.server,
      pgvector: engine.versions?.pgvector ?? null,
    },
    proxy: proxy && {
      status: isHealthy(proxy) ? "healthy" : "unhealthy",
      url: proxy.url,
      database: proxy.database,
      error: proxy.failure,
      circuit: embedding.breaker,
      model: embedding.model,
      dimensions: embedding.dimensions,
    },
    contents: contents && presentContents(contents, concurrency),
    indexing: indexing && presentIndexing(indexing),
  };
}

/** A provider other than LiteLLM has no readiness; that it answers is enough. */
const isHealthy = ({ status, database }: NonNullable<Overview["proxy"]>) =>
  status !== null && (status < 300 || status === 404) && database !== "disconnected";

const presentContents = (
  { stores, attached, uploaded, queue, sessions }: NonNullable<Overview["contents"]>,
  concurrency: number,
) => ({
  vector_stores: { count: stores.stores, rows: stores.chunks, bytes: stores.contentBytes },
  files: { count: uploaded.files, bytes: uploaded.bytes },
  attached_files: {
    in_progress: attached.in_progress,
    completed: attached.completed,
    failed: attached.failed,
    cancelled: attached.cancelled,
    failed_last_day: attached.failedLately,
  },
  ingestion: {
    waiting: queue.waiting,
    running: queue.running,
    postponed: queue.postponed,
    oldest_seconds: Math.round(queue.oldestSeconds),
    concurrency,
  },
  sessions,
});

export const settingsAnswer = z
  .object({
    object: z.literal("list"),
    data: z.array(
      z
        .object({
          object: z.literal("setting"),
          name: z.string(),
          value: z.string().nullable().describe("as in `.env`; null: a secret, or there is neither value nor default"),
          given: z.boolean().describe("whether the environment says it; false: the value is the default"),
          secret: z.boolean(),
        })
        .meta({ id: "Setting" }),
    ),
  })
  .meta({ id: "SettingList" });

export const presentSettings = (shown: readonly ShownSetting[]): z.input<typeof settingsAnswer> => ({
  object: "list",
  data: shown.map((setting) => ({ object: "setting", ...setting })),
});

export const doctorQuery = z.object({
  probe: z.enum(["true", "false"]).default("false").describe("whether to embed a short text, too, which may cost"),
});

export const doctorAnswer = z
  .object({
    object: z.literal("diagnosis"),
    ok: z.boolean().describe("whether no check has failed"),
    checks: z.array(
      z.object({
        check: z.string(),
        status: z.enum(["ok", "warn", "fail"]),
        message: z.string(),
        todo: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "Diagnosis" });

export const presentFindings = (found: readonly Finding[]): z.input<typeof doctorAnswer> => ({
  object: "diagnosis",
  ok: found.every(({ status }) => status !== "fail"),
  checks: found.map(({ check, status, message, todo }) => ({ check, status, message, todo: todo ?? null })),
});
