import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { z } from "zod";
import { StartupError } from "./errors.js";

/** Names of columns and tables that may be used unquoted or quoted alike; quoting is still always applied. */
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
const whole = (min: number, max: number, fallback: number) =>
  z.coerce
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .default(fallback);

/**
 * Every setting, by its first name. Names are looked up without regard to case; an empty value counts as absent.
 * The names with `__` are litellm-pgvector's, so that its `.env` works unchanged.
 */
const settings = z.object({
  DATABASE_URL: z.string().optional(),
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
  SERVER_API_KEY: z.string().optional(),
  LITELLM_PROXY_URL: url.optional(),
  LITELLM_MASTER_KEY: z.string().optional(),
  EMBEDDING__MODEL: z.string().default("text-embedding-ada-002"),
  EMBEDDING__BASE_URL: url.optional(),
  EMBEDDING__API_KEY: z.string().optional(),
  EMBEDDING__DIMENSIONS: whole(1, 16_000, 1536),
  EMBEDDING__TIMEOUT_SECONDS: whole(1, 600, 30),
  EMBEDDING__RETRY_SECONDS: whole(0, 600, 60),
  EMBEDDING__BATCH_SIZE: whole(1, 2048, 256),
  CHAT_MODEL: z.string().max(256).optional(),
  CHAT_TIMEOUT_SECONDS: whole(1, 3600, 120),
  RERANK_MODEL: z.string().max(256).optional(),
  RERANK_TIMEOUT_SECONDS: whole(1, 600, 10),
  MAX_BODY_MB: whole(1, 1024, 256),
  MAX_FILE_MB: whole(1, 8192, 512),
  FILES_DIR: z.string().optional(),
  INGEST_CONCURRENCY: whole(1, 64, 2),
  VISION_MODEL: z.string().default("openai/gpt-4o-mini"),
  PDF_VISION: z.enum(["auto", "off"]).default("off"),
  EXPIRED_STORE_RETENTION_DAYS: whole(0, 3650, 7),
  INDEX_MIN_ROWS: whole(0, 1_000_000_000, 10_000),
  INDEX_BUILD_MEMORY_MB: whole(1, 1_000_000, 512),
  HNSW_M: whole(2, 100, 16),
  HNSW_EF_CONSTRUCTION: whole(4, 1000, 128),
  DB_TABLES__VECTOR_STORES: tableName.default("vector_stores"),
  DB_TABLES__EMBEDDINGS: tableName.default("embeddings"),
  DB_FIELDS__ID_FIELD: identifier.default("id"),
  DB_FIELDS__CONTENT_FIELD: identifier.default("content"),
  DB_FIELDS__METADATA_FIELD: identifier.default("metadata"),
  DB_FIELDS__EMBEDDING_FIELD: identifier.default("embedding"),
  DB_FIELDS__VECTOR_STORE_ID_FIELD: identifier.default("vector_store_id"),
  DB_FIELDS__CREATED_AT_FIELD: identifier.default("created_at"),
});
type Settings = z.output<typeof settings>;

/** Second names for one setting: the words of the READMEs this service replaces. */
const aliases: Partial<Record<keyof Settings, string>> = {
  SERVER_API_KEY: "OPENAI_API_KEY",
  EMBEDDING__MODEL: "EMBEDDING_MODEL",
  EMBEDDING__BASE_URL: "EMBEDDING_API_BASE_URL",
};

export type Config = Readonly<ReturnType<typeof arrange>>;

/** `http://host:4000/` and `http://host:4000/v1` name the same proxy; the bare root is kept. */
function withoutVersion(value: string): string {
  return value.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
}

/** `docker run --env-file` hands on the quotes of a `.env` line, which every other reader takes off. */
const withoutQuotes = (value: string) => /^"([^"]*)"$/.exec(value)?.[1]?.trim() ?? value;

/**
 * The environment as one frozen Config.
 * @throws StartupError naming every setting that is wrong, and both names where two of them disagree.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const input: Record<string, string> = {};
  for (const name of Object.keys(settings.shape) as (keyof Settings)[]) {
    const names = [name, aliases[name]].filter((each) => each !== undefined);
    const found = Object.entries(environment)
      .filter(([key]) => names.includes(key.toUpperCase()))
      .map(([key, value]) => [key, withoutQuotes(value?.trim() ?? "")] as const)
      .filter(([, value]) => value !== "");
    const [first, ...others] = found;
    if (first === undefined) continue;
    input[name] = first[1];
    const isUrl = name.endsWith("_URL") && name !== "DATABASE_URL";
    const same = (value: string) => (isUrl ? withoutVersion(value) : value);
    for (const other of others) {
      if (same(other[1]) !== same(first[1])) {
        problems.push(`${first[0]} and ${other[0]} are two names for one setting and have different values; keep one`);
      }
    }
  }
  const parsed = settings.safeParse(input);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`));
  }
  if (parsed.success) problems.push(...repeatedNames(parsed.data), ...unusableIndex(parsed.data));
  if (problems.length > 0 || !parsed.success) {
    throw new StartupError(`The settings are not usable:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
  }
  return arrange(parsed.data, input);
}

/** Two fields in one column, or both tables in one, could never be written. */
function repeatedNames(s: Settings): string[] {
  const names = Object.entries(s).filter(([name]) => name.startsWith("DB_FIELDS__") || name.startsWith("DB_TABLES__"));
  return names.flatMap(([name, value], i) => {
    const kind = name.slice(0, 11);
    const other = names.slice(0, i).find(([earlier, its]) => earlier.startsWith(kind) && its === value);
    return other === undefined ? [] : [`${name} and ${other[0]} are both "${String(value)}"; they must differ`];
  });
}

/** pgvector refuses such an index, which would only show in the background. */
function unusableIndex({ HNSW_M: m, HNSW_EF_CONSTRUCTION: ef }: Settings): string[] {
  return ef >= 2 * m ? [] : [`HNSW_EF_CONSTRUCTION is ${ef} and must be at least twice HNSW_M, which is ${m}`];
}

function arrange(s: Settings, given: Readonly<Record<string, string>>) {
  const baseUrl = s.EMBEDDING__BASE_URL ?? s.LITELLM_PROXY_URL ?? null;
  return Object.freeze({
    host: s.HOST,
    port: s.PORT,
    logLevel: s.LOG_LEVEL,
    apiUrl: s.API_URL ?? null,
    dataDir: s.DATA_DIR,
    maxBodyBytes: s.MAX_BODY_MB * 1024 * 1024,
    files: Object.freeze({
      maxBytes: s.MAX_FILE_MB * 1024 * 1024,
      /** Where bytes are kept; null: in the database. */
      directory: s.FILES_DIR ?? null,
      /** Files that are ingested at the same time by this process. */
      concurrency: s.INGEST_CONCURRENCY,
      visionModel: s.VISION_MODEL,
      /** Whether pages of a PDF without any text are given to the vision model. */
      pdfVision: s.PDF_VISION === "auto",
    }),
    expiredStoreRetentionDays: s.EXPIRED_STORE_RETENTION_DAYS,
    indexing: Object.freeze({
      /** Rows from which a store gets an index; null: only when asked, since the embedded database builds 350 rows a second. */
      minRows: s.DATABASE_URL === undefined && !("INDEX_MIN_ROWS" in given) ? null : s.INDEX_MIN_ROWS,
      buildMemoryMb: s.INDEX_BUILD_MEMORY_MB,
      m: s.HNSW_M,
      efConstruction: s.HNSW_EF_CONSTRUCTION,
    }),
    keys: Object.freeze({ server: s.SERVER_API_KEY ?? null, master: s.LITELLM_MASTER_KEY ?? null }),
    database: Object.freeze({
      url: s.DATABASE_URL ?? null,
      poolSize: s.DATABASE_POOL_SIZE,
      poolTimeoutMs: s.DATABASE_POOL_TIMEOUT_SECONDS * 1000,
      statementTimeoutMs: s.DATABASE_STATEMENT_TIMEOUT_SECONDS * 1000,
      startTimeoutMs: s.DATABASE_START_TIMEOUT_SECONDS * 1000,
      sslCaFile: s.DATABASE_SSL_CA ?? null,
      sslCertFile: s.DATABASE_SSL_CERT ?? null,
      sslKeyFile: s.DATABASE_SSL_KEY ?? null,
      tables: Object.freeze({ vectorStores: s.DB_TABLES__VECTOR_STORES, embeddings: s.DB_TABLES__EMBEDDINGS }),
      fields: Object.freeze({
        id: s.DB_FIELDS__ID_FIELD,
        content: s.DB_FIELDS__CONTENT_FIELD,
        metadata: s.DB_FIELDS__METADATA_FIELD,
        embedding: s.DB_FIELDS__EMBEDDING_FIELD,
        vectorStoreId: s.DB_FIELDS__VECTOR_STORE_ID_FIELD,
        createdAt: s.DB_FIELDS__CREATED_AT_FIELD,
      }),
    }),
    embedding: Object.freeze({
      model: s.EMBEDDING__MODEL,
      dimensions: s.EMBEDDING__DIMENSIONS,
      /** Providers refuse `dimensions` for many models, so it is sent only when the operator set it. */
      dimensionsConfigured: "EMBEDDING__DIMENSIONS" in given,
      /** Root of the LiteLLM proxy without `/v1`; null means the built-in embedder. */
      baseUrl,
      apiKey: s.EMBEDDING__API_KEY ?? s.LITELLM_MASTER_KEY ?? null,
      /** One attempt. */
      timeoutMs: s.EMBEDDING__TIMEOUT_SECONDS * 1000,
      /** All attempts of one call together, waits included. */
      retryBudgetMs: s.EMBEDDING__RETRY_SECONDS * 1000,
      /** Inputs per provider request. */
      batchSize: s.EMBEDDING__BATCH_SIZE,
      /** The other models behind the same proxy: the whole answer, or between two pieces of one that is streamed; and one reranking. */
      chatTimeoutMs: s.CHAT_TIMEOUT_SECONDS * 1000,
      rerankTimeoutMs: s.RERANK_TIMEOUT_SECONDS * 1000,
    }),
    /** What answers questions where the request names no model. */
    chatModel: s.CHAT_MODEL ?? null,
    /** What puts results in order where neither request nor store names a model; null: the proxy's first one that can. */
    rerankModel: s.RERANK_MODEL ?? null,
  });
}

export type DatabaseConfig = Config["database"];
export type EmbeddingConfig = Config["embedding"];

/** The process environment over the `.env` file of the working directory, as litellm-pgvector reads it. */
export function readEnvironment(): Record<string, string | undefined> {
  let file: NodeJS.Dict<string> = {};
  try {
    file = parseEnv(readFileSync(".env", "utf8"));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
      throw new StartupError(`The file .env cannot be read: ${(error as Error).message}`);
    }
  }
  const set = new Set(Object.keys(process.env).map((name) => name.toUpperCase()));
  return {
    ...Object.fromEntries(Object.entries(file).filter(([name]) => !set.has(name.toUpperCase()))),
    ...process.env,
  };
}
