import { isIP } from "node:net";
import { z } from "zod";
import { documentInputTypes, inputTypesFor, longestPrefix } from "../words/prompts.js";

/** Names of columns that need no quoting; they are still always quoted. */
const identifier = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/, "must be a plain column name: letters, digits, _ and $, at most 63");
const tableName = z
  .string()
  .regex(
    /^([A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}$/,
    "must be a plain table name, or schema.table: letters, digits, _ and $, at most 63 each",
  );
const url = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" }).transform(withoutVersion);
const collector = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });
const wholeNumber = (min: number, max: number) =>
  z.coerce
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);
const whole = (min: number, max: number, fallback: number) => wholeNumber(min, max).default(fallback);

/** The origin of a page, as browsers send it: scheme, host and port, nothing else. */
const isOrigin = (text: string) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
const corsOrigins = z
  .string()
  .transform((text) => text.split(",").map((each) => each.trim()))
  .refine(
    (origins) => origins.every(isOrigin) || (origins.length === 1 && origins[0] === "*"),
    'must be "*", or origins such as https://app.example.com separated by commas, without a path or a slash at the end',
  );

/** Whether Express can tell by this text that an address is a proxy's. */
function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return ["loopback", "linklocal", "uniquelocal"].includes(text);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
/** First parts of paths that are the API's. */
const taken = new Set(
  [
    "v1",
    "v2",
    "docs",
    "health",
    "livez",
    "readyz",
    "metrics",
    "vector_stores",
    "files",
    "uploads",
    "embeddings",
  ].concat(["models", "vision", "rerank", "rag", "usage", "limits", "me", "sessions"]),
);
const basePath = z
  .string()
  .regex(
    /^(\/[A-Za-z0-9_-]+)+$/,
    "must be a path such as /admin, of letters, digits, _ and -, without a slash at the end",
  )
  .refine((path) => !taken.has(path.split("/")[1] ?? ""), "must not begin with a path of the API");

/** Absent: no limit. */
const limit = wholeNumber(1, 1_000_000_000).optional();

/** Names separated by commas. */
const names = z.string().transform((text) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== ""),
);

const proxies = names.refine(
  (all) => all.every(isNetwork),
  "must be addresses or networks such as 10.0.0.0/8, loopback, linklocal or uniquelocal, separated by commas",
);

/** Of a secret that signs who asks; as many as SHA-256 has. */
const shortestSecret = 32;
const identitySecrets = names
  .refine(
    (secrets) => secrets.length <= 2,
    "must be one secret, or two while it is being replaced, with a comma between",
  )
  .refine(
    (secrets) => secrets.every((secret) => Buffer.byteLength(secret) >= shortestSecret),
    `must have at least ${shortestSecret} bytes; openssl rand -hex 32 makes one`,
  );

const prefix = z.string().max(longestPrefix, `must have at most ${longestPrefix} characters`);
/** `none`, or what the provider calls a document. */
const inputType = z
  .enum(["none", ...documentInputTypes], `must be "none" or one of ${documentInputTypes.join(", ")}`)
  .transform(inputTypesFor);

/**
 * Every setting, by its main name (`aliases` has second names). Names are case-insensitive; an empty value counts as
 * absent. The names with `__` are litellm-pgvector's, so that its `.env` works unchanged.
 */
export const settings = z.object({
  DATABASE_URL: z.string().optional(),
  DATABASE_HOST: z.string().optional(),
  DATABASE_PORT: whole(1, 65535, 5432),
  DATABASE_NAME: z.string().optional(),
  DATABASE_USER: z.string().optional(),
  DATABASE_PASSWORD: z.string().optional(),
  DATABASE_PARAMETERS: z.string().optional(),
  DATABASE_POOL_SIZE: whole(1, 1000, 10),
  DATABASE_POOL_TIMEOUT_SECONDS: whole(1, 600, 10),
  DATABASE_STATEMENT_TIMEOUT_SECONDS: whole(0, 3600, 60),
  DATABASE_START_TIMEOUT_SECONDS: whole(0, 3600, 30),
  DATABASE_SSL_CA: z.string().optional(),
  DATABASE_SSL_CERT: z.string().optional(),
  DATABASE_SSL_KEY: z.string().optional(),
  DATA_DIR: z.string().default("./data"),
  HOST: z.string().default("0.0.0.0"),
  PORT: whole(0, 65535, 8000),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  API_URL: url.optional(),
  CORS_ORIGINS: corsOrigins.optional(),
  TRUSTED_PROXIES: proxies.default([]),
  ADMIN_PAGE: z.enum(["on", "off"], 'must be "on" or "off"').default("on"),
  ADMIN_BASE_PATH: basePath.default("/admin"),
  SHUTDOWN_DELAY_SECONDS: whole(0, 600, 3),
  SHUTDOWN_DRAIN_SECONDS: whole(1, 3600, 25),
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.optional(),
  OTEL_SDK_DISABLED: z.enum(["true", "false"], 'must be "true" or "false"').default("false"),
  SERVER_API_KEY: z.string().optional(),
  LITELLM_PROXY_URL: url.optional(),
  LITELLM_MASTER_KEY: z.string().optional(),
  KEY_CACHE_SECONDS: whole(1, 600, 60),
  KEY_GRACE_SECONDS: whole(0, 600, 0),
  SESSION_HOURS: whole(1, 8, 8),
  USAGE_RETENTION_DAYS: whole(1, 3650, 90),
  USER_MAX_VECTOR_STORES: limit,
  USER_MAX_MB: limit,
  USER_REQUESTS_PER_MINUTE: limit,
  TEAM_MAX_VECTOR_STORES: limit,
  TEAM_MAX_MB: limit,
  TEAM_REQUESTS_PER_MINUTE: limit,
  STORE_MAX_MB: limit,
  STORE_REQUESTS_PER_MINUTE: limit,
  ADMIN_USER_IDS: names.default([]),
  ADOPTED_OWNER: z
    .string()
    .max(261, "must have at most 261 characters")
    .regex(/^(user|team):./su, 'must be "user:ID" or "team:ID"')
    .optional(),
  LITELLM_IDENTITY_SECRET: identitySecrets.default([]),
  VECTOR_STORE_DENY_BY_DEFAULT: z.enum(["true", "false"], 'must be "true" or "false"').default("false"),
  EMBEDDING__MODEL: z.string().default("text-embedding-ada-002"),
  EMBEDDING__BASE_URL: url.optional(),
  EMBEDDING__API_KEY: z.string().optional(),
  EMBEDDING__DIMENSIONS: whole(1, 16_000, 1536),
  EMBEDDING__QUERY_PREFIX: prefix.optional(),
  EMBEDDING__DOCUMENT_PREFIX: prefix.optional(),
  EMBEDDING__INPUT_TYPE: inputType.optional(),
  EMBEDDING__TIMEOUT_SECONDS: whole(1, 600, 30),
  EMBEDDING__RETRY_SECONDS: whole(0, 600, 60),
  EMBEDDING__BATCH_SIZE: whole(1, 2048, 256),
  CHAT_MODEL: z.string().max(256).optional(),
  CHAT_TIMEOUT_SECONDS: whole(1, 3600, 120),
  RERANK_MODEL: z.string().max(256).optional(),
  RERANK_TIMEOUT_SECONDS: whole(1, 600, 10),
  MAX_BODY_MB: whole(1, 1024, 256),
  MAX_QUERY_CHARACTERS: whole(1000, 1_600_000, 100_000),
  MAX_RERANK_CHARACTERS: whole(1000, 100_000_000, 2_000_000),
  MAX_CONTEXT_TOKENS: whole(1000, 10_000_000, 100_000),
  UNKNOWN_FIELDS: z.enum(["refuse", "warn"], 'must be "refuse" or "warn"').default("refuse"),
  MAX_FILE_MB: whole(1, 8192, 512),
  MAX_TEXT_MB: whole(1, 8192, 512),
  MAX_TEXT_RATIO: whole(1, 1_000_000, 20),
  MAX_CHUNKS: whole(1, 100_000_000, 500_000),
  FILES_DIR: z.string().optional(),
  INGEST_CONCURRENCY: whole(0, 64, 2),
  VISION_MODEL: z.string().default("openai/gpt-4o-mini"),
  VISION_TIMEOUT_SECONDS: whole(1, 600, 120),
  CHUNK_SIZE_TOKENS: whole(32, 8192, 800),
  CHUNK_OVERLAP_TOKENS: whole(0, 4096, 400),
  PDF_VISION: z.enum(["auto", "off"]).default("off"),
  EXPIRED_STORE_RETENTION_DAYS: whole(0, 3650, 7),
  INDEX_MIN_ROWS: whole(0, 1_000_000_000, 10_000),
  INDEX_BUILD_MEMORY_MB: whole(1, 1_000_000, 512),
  HNSW_M: whole(2, 100, 16),
  HNSW_EF_CONSTRUCTION: whole(4, 1000, 128),
  RECALL_PROBE_MINUTES: whole(0, 10_080, 60),
  DB_TABLES__VECTOR_STORES: tableName.default("vector_stores"),
  DB_TABLES__EMBEDDINGS: tableName.default("embeddings"),
  DB_FIELDS__ID_FIELD: identifier.default("id"),
  DB_FIELDS__CONTENT_FIELD: identifier.default("content"),
  DB_FIELDS__METADATA_FIELD: identifier.default("metadata"),
  DB_FIELDS__EMBEDDING_FIELD: identifier.default("embedding"),
  DB_FIELDS__VECTOR_STORE_ID_FIELD: identifier.default("vector_store_id"),
  DB_FIELDS__CREATED_AT_FIELD: identifier.default("created_at"),
});
export type Settings = z.output<typeof settings>;

/** Second names of settings, from the READMEs of the services that this one replaces or stands beside. */
export const aliases: Partial<Record<keyof Settings, string>> = {
  SERVER_API_KEY: "OPENAI_API_KEY",
  LITELLM_PROXY_URL: "GP_LLM_API_URL",
  CHAT_MODEL: "GP_LLM_MODEL",
  EMBEDDING__MODEL: "EMBEDDING_MODEL",
  EMBEDDING__BASE_URL: "EMBEDDING_API_BASE_URL",
};

/** `http://host:4000/` and `http://host:4000/v1` name the same proxy; the bare root is kept. */
export function withoutVersion(value: string): string {
  return value.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
}
