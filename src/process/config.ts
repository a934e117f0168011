import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type Owner, noOwner } from "../words/caller.js";
import { StartupError, errorCode } from "../words/errors.js";
import { type AskedPrompts, readPrefix } from "../words/prompts.js";
import { overlapOf, problemsOf } from "./settingProblems.js";
import { type Settings, aliases, settings, withoutVersion } from "./settings.js";
import { showSettings } from "./shownSettings.js";

export type Config = Readonly<ReturnType<typeof arrange>>;

/** `docker run --env-file` keeps the quotes of a `.env` line; every other reader removes them. */
const withoutQuotes = (value: string) => /^"([^"]*)"$/.exec(value)?.[1]?.trim() ?? value;

/** A space at the end of a prefix belongs to it. */
function valueOf(name: string, given = ""): string {
  const trimmed = given.trim();
  if (trimmed === "" || !name.endsWith("_PREFIX")) return withoutQuotes(trimmed);
  return /^"([^"]*)"$/.exec(trimmed)?.[1] ?? given;
}

/**
 * Reads the environment into one frozen Config.
 * @throws StartupError naming every wrong setting, and both names if two of them disagree
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const input: Record<string, string> = {};
  for (const name of Object.keys(settings.shape) as (keyof Settings)[]) {
    const names = [name, aliases[name]].filter((each) => each !== undefined);
    const found = Object.entries(environment)
      .filter(([key]) => names.includes(key.toUpperCase()))
      .map(([key, value]) => [key, valueOf(name, value)] as const)
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
  if (parsed.success) problems.push(...problemsOf(parsed.data, input));
  if (problems.length > 0 || !parsed.success) {
    throw new StartupError(`The settings are not usable:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
  }
  return arrange(parsed.data, input);
}

/**
 * The database URL, made from its parts if these are set. They are URL-encoded, because a generated password may
 * contain any character.
 */
function databaseUrl(s: Settings): string | null {
  if (s.DATABASE_HOST === undefined) return s.DATABASE_URL ?? null;
  const { DATABASE_HOST: host, DATABASE_USER: user, DATABASE_PASSWORD: password } = s;
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  const login = user === undefined ? "" : `${encodeURIComponent(user)}${secret}@`;
  const parameters = new URLSearchParams(s.DATABASE_PARAMETERS?.replace(/^\?/, ""));
  // A directory of sockets only fits into a URL as a parameter.
  if (host.startsWith("/")) parameters.set("host", host);
  const at = host.startsWith("/") ? "localhost" : host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host;
  const query = parameters.size === 0 ? "" : `?${parameters.toString()}`;
  return `postgresql://${login}${at}:${s.DATABASE_PORT}/${encodeURIComponent(s.DATABASE_NAME ?? "")}${query}`;
}

function arrange(s: Settings, given: Readonly<Record<string, string>>) {
  const url = databaseUrl(s);
  return Object.freeze({
    /** All settings as administrators may see them. */
    shown: showSettings(s, given),
    host: s.HOST,
    port: s.PORT,
    logLevel: s.LOG_LEVEL,
    apiUrl: s.API_URL ?? null,
    /** Origins of pages whose scripts may call the API from a browser; ["*"]: of all; null: of none. */
    corsOrigins: s.CORS_ORIGINS === undefined ? null : Object.freeze(s.CORS_ORIGINS),
    /** Addresses and networks of proxies that say truly whom they speak for (X-Forwarded-For). */
    trustedProxies: Object.freeze(s.TRUSTED_PROXIES),
    /** The web page, and where it is served. */
    page: Object.freeze({ on: s.ADMIN_PAGE === "on", basePath: s.ADMIN_BASE_PATH }),
    dataDir: s.DATA_DIR,
    maxBodyBytes: s.MAX_BODY_MB * 1024 * 1024,
    ceilings: ceilingsOf(s),
    /** What happens to a field of a request that the service does not know. */
    unknownFields: s.UNKNOWN_FIELDS,
    shutdown: Object.freeze({
      /** How long the service reports unready but still accepts requests, so that load balancers notice. */
      delayMs: s.SHUTDOWN_DELAY_SECONDS * 1000,
      /** How long accepted requests may take to finish after that. */
      drainMs: s.SHUTDOWN_DRAIN_SECONDS * 1000,
    }),
    /** Whether traces are sent. The SDK itself reads OpenTelemetry's own variables for where and how. */
    tracing:
      s.OTEL_SDK_DISABLED === "false" &&
      (s.OTEL_EXPORTER_OTLP_ENDPOINT ?? s.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined,
    files: Object.freeze({
      maxBytes: s.MAX_FILE_MB * 1024 * 1024,
      /** What may come of one file: its text in bytes, also for each byte of the file, and its chunks. */
      allowance: Object.freeze({
        textBytes: s.MAX_TEXT_MB * 1024 * 1024,
        ratio: s.MAX_TEXT_RATIO,
        chunks: s.MAX_CHUNKS,
      }),
      /** Where files' bytes are stored; null: in the database. */
      directory: s.FILES_DIR ?? null,
      /** How many files this process ingests at the same time; 0: none, a `vector-store worker` does. */
      concurrency: s.INGEST_CONCURRENCY,
      /** OpenAI's chunking strategy "auto". */
      autoCutting: Object.freeze({ by: "tokens" as const, size: s.CHUNK_SIZE_TOKENS, overlap: overlapOf(s, given) }),
      visionModel: s.VISION_MODEL,
      /** Whether the vision model reads PDF pages without any text. */
      pdfVision: s.PDF_VISION === "auto",
    }),
    expiredStoreRetentionDays: s.EXPIRED_STORE_RETENTION_DAYS,
    indexing: Object.freeze({
      /**
       * A store with this many rows gets an index; null: only on request, because the embedded database indexes only
       * 350 rows per second.
       */
      minRows: url === null && !("INDEX_MIN_ROWS" in given) ? null : s.INDEX_MIN_ROWS,
      buildMemoryMb: s.INDEX_BUILD_MEMORY_MB,
      m: s.HNSW_M,
      efConstruction: s.HNSW_EF_CONSTRUCTION,
      /** Interval between measurements of recall, the share of the exact answer that indexes find; null: never. */
      probeMs: s.RECALL_PROBE_MINUTES === 0 ? null : s.RECALL_PROBE_MINUTES * 60_000,
    }),
    keys: Object.freeze({ server: s.SERVER_API_KEY ?? null, master: s.LITELLM_MASTER_KEY ?? null }),
    access: accessOf(s),
    limits: limitsOf(s),
    database: databaseOf(s, url),
    embedding: embeddingOf(s, given),
    /** The chat model if a request names none; null: requests must name one. */
    chatModel: s.CHAT_MODEL ?? null,
    /** The rerank model if neither request nor store names one; null: the proxy's first. */
    rerankModel: s.RERANK_MODEL ?? null,
  });
}

/** What a request may send to models, so that none costs more than an operator expects. */
const ceilingsOf = (s: Settings) =>
  Object.freeze({
    /** Characters of all queries of a request together. */
    query: s.MAX_QUERY_CHARACTERS,
    /** Characters that a rerank model reads: each text, and the query with each. */
    rerank: s.MAX_RERANK_CHARACTERS,
    /** Tokens of a chat model's window that an answer uses at most. */
    context: s.MAX_CONTEXT_TOKENS,
  });

const megabytes = (number: number | undefined): number | null => (number === undefined ? null : number * 1024 * 1024);

/** What each user, each team and each vector store may use, unless an administrator sets something else. */
const limitsOf = (s: Settings) =>
  Object.freeze({
    user: Object.freeze({
      vectorStores: s.USER_MAX_VECTOR_STORES ?? null,
      bytes: megabytes(s.USER_MAX_MB),
      requestsPerMinute: s.USER_REQUESTS_PER_MINUTE ?? null,
    }),
    team: Object.freeze({
      vectorStores: s.TEAM_MAX_VECTOR_STORES ?? null,
      bytes: megabytes(s.TEAM_MAX_MB),
      requestsPerMinute: s.TEAM_REQUESTS_PER_MINUTE ?? null,
    }),
    store: Object.freeze({
      vectorStores: null,
      bytes: megabytes(s.STORE_MAX_MB),
      requestsPerMinute: s.STORE_REQUESTS_PER_MINUTE ?? null,
    }),
  });

const accessOf = (s: Settings) =>
  Object.freeze({
    /** How long what LiteLLM says of a key is used. */
    cacheMs: s.KEY_CACHE_SECONDS * 1000,
    /** How much longer, while LiteLLM cannot tell. */
    graceMs: s.KEY_GRACE_SECONDS * 1000,
    /** How long a sign-in to the web page lasts at most. */
    sessionMs: s.SESSION_HOURS * 3_600_000,
    usageDays: s.USAGE_RETENTION_DAYS,
    /** LiteLLM's users who may do everything. */
    adminUserIds: Object.freeze(s.ADMIN_USER_IDS),
    /** Whose stores without an owner become when they are taken over from another program; null: the service's own. */
    adoptedOwner: ownerNamed(s.ADOPTED_OWNER),
    /** With any of these LiteLLM may sign who asks; two while the secret is being replaced. */
    identitySecrets: Object.freeze(s.LITELLM_IDENTITY_SECRET),
    /** As LiteLLM's `vector_store_deny_by_default`: a key may use only the stores that it lists. */
    denyByDefault: s.VECTOR_STORE_DENY_BY_DEFAULT === "true",
  });

/** `user:ID` or `team:ID`. */
function ownerNamed(name: string | undefined): Owner | null {
  if (name === undefined) return null;
  const id = name.slice(5);
  return Object.freeze({ ...noOwner, ...(name.startsWith("user:") ? { userId: id } : { teamId: id }) });
}

const databaseOf = (s: Settings, url: string | null) =>
  Object.freeze({
    url,
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
  });

const embeddingOf = (s: Settings, given: Readonly<Record<string, string>>) =>
  Object.freeze({
    model: s.EMBEDDING__MODEL,
    dimensions: s.EMBEDDING__DIMENSIONS,
    /** Providers refuse `dimensions` for many models, so it is sent only when the operator set it. */
    dimensionsConfigured: "EMBEDDING__DIMENSIONS" in given,
    modelConfigured: "EMBEDDING__MODEL" in given,
    /** What its model is told of a text's purpose; what is absent is chosen by the model's name. */
    prompts: Object.freeze(promptsOf(s)),
    /** Root of the LiteLLM proxy without `/v1`; null means the built-in embedder. */
    baseUrl: s.EMBEDDING__BASE_URL ?? s.LITELLM_PROXY_URL ?? null,
    apiKey: s.EMBEDDING__API_KEY ?? s.LITELLM_MASTER_KEY ?? null,
    /** Time limit of one attempt. */
    timeoutMs: s.EMBEDDING__TIMEOUT_SECONDS * 1000,
    /** Time limit of all attempts of one call, waits included. */
    retryBudgetMs: s.EMBEDDING__RETRY_SECONDS * 1000,
    /** Inputs per provider request. */
    batchSize: s.EMBEDDING__BATCH_SIZE,
    /** Time limit of a chat answer; if streamed, of the wait for each piece. */
    chatTimeoutMs: s.CHAT_TIMEOUT_SECONDS * 1000,
    /** Time limit of one description of a picture. */
    visionTimeoutMs: s.VISION_TIMEOUT_SECONDS * 1000,
    rerankTimeoutMs: s.RERANK_TIMEOUT_SECONDS * 1000,
  });

function promptsOf(s: Settings): AskedPrompts {
  return {
    ...(s.EMBEDDING__QUERY_PREFIX !== undefined && { queryPrefix: readPrefix(s.EMBEDDING__QUERY_PREFIX) }),
    ...(s.EMBEDDING__DOCUMENT_PREFIX !== undefined && { documentPrefix: readPrefix(s.EMBEDDING__DOCUMENT_PREFIX) }),
    ...(s.EMBEDDING__INPUT_TYPE !== undefined && { inputType: s.EMBEDDING__INPUT_TYPE }),
  };
}

export type DatabaseConfig = Config["database"];
export type EmbeddingConfig = Config["embedding"];

/** The process environment, plus what only the working directory's `.env` file sets, as in litellm-pgvector. */
export function readEnvironment(): Record<string, string | undefined> {
  let file: NodeJS.Dict<string> = {};
  try {
    file = parseEnv(readFileSync(".env", "utf8"));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") {
      throw new StartupError(`The file .env cannot be read: ${(error as Error).message}`);
    }
  }
  const set = new Set(Object.keys(process.env).map((name) => name.toUpperCase()));
  const added = Object.entries(file).filter(([name]) => !set.has(name.toUpperCase()));
  // OpenTelemetry's SDK reads its many settings itself, only from the process environment.
  for (const [name, value] of added) if (name.startsWith("OTEL_") && value !== undefined) process.env[name] = value;
  return { ...Object.fromEntries(added), ...process.env };
}
