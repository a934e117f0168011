import { describe, expect, test } from "@jest/globals";
import { loadConfig } from "../../src/process/config.js";
import { problemsOf } from "./configProblems.js";

describe("settings", () => {
  test("an empty environment gives the documented defaults", () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      host: "0.0.0.0",
      port: 8000,
      dataDir: "./data",
      logLevel: "info",
      apiUrl: null,
      keys: { server: null, master: null },
    });
    expect(config.database).toMatchObject({
      url: null,
      tables: { vectorStores: "vector_stores", embeddings: "embeddings" },
      fields: {
        id: "id",
        content: "content",
        metadata: "metadata",
        embedding: "embedding",
        vectorStoreId: "vector_store_id",
        createdAt: "created_at",
      },
    });
    expect(config.embedding).toMatchObject({
      model: "text-embedding-ada-002",
      dimensions: 1536,
      dimensionsConfigured: false,
      baseUrl: null,
      apiKey: null,
    });
  });

  test.each(["SERVER_API_KEY", "server_api_key", "Server_Api_Key"])("the name %s is found in any case", (name) => {
    expect(loadConfig({ [name]: "sk-1" }).keys.server).toBe("sk-1");
  });

  test("names with __ are also found in lower case", () => {
    const config = loadConfig({ embedding__dimensions: "384", db_fields__id_field: "doc_id" });
    expect(config.embedding).toMatchObject({ dimensions: 384, dimensionsConfigured: true });
    expect(config.database.fields.id).toBe("doc_id");
  });

  test("an empty or blank value counts as absent", () => {
    const config = loadConfig({
      PORT: "",
      EMBEDDING__MODEL: "  ",
      DATABASE_URL: "",
      SERVER_API_KEY: "\t",
      API_URL: "",
    });
    expect(config).toMatchObject({ port: 8000, apiUrl: null, keys: { server: null } });
    expect(config.embedding.model).toBe("text-embedding-ada-002");
    expect(config.database.url).toBeNull();
  });

  test("an absent value never disagrees with a given one", () => {
    expect(loadConfig({ SERVER_API_KEY: "", OPENAI_API_KEY: "sk-2" }).keys.server).toBe("sk-2");
  });

  test("quotes around a value, which docker's --env-file keeps, are removed", () => {
    expect(loadConfig({ HOST: '"127.0.0.1"', PORT: '"9000"', EMBEDDING__MODEL: '""' })).toMatchObject({
      host: "127.0.0.1",
      port: 9000,
      embedding: { model: "text-embedding-ada-002" },
    });
  });

  test("spaces around a value are removed", () => {
    expect(loadConfig({ SERVER_API_KEY: " sk-1\n" }).keys.server).toBe("sk-1");
  });

  test("a space at the end of a prefix belongs to it, in quotes too, and none is a word", () => {
    const prompts = (environment: Record<string, string>) => loadConfig(environment).embedding.prompts;
    expect(prompts({})).toEqual({});
    expect(prompts({ EMBEDDING__QUERY_PREFIX: "query: ", EMBEDDING__DOCUMENT_PREFIX: '"passage: "' })).toEqual({
      queryPrefix: "query: ",
      documentPrefix: "passage: ",
    });
    expect(prompts({ EMBEDDING__QUERY_PREFIX: "none", EMBEDDING__INPUT_TYPE: "none" })).toEqual({
      queryPrefix: "",
      inputType: null,
    });
    expect(prompts({ EMBEDDING__QUERY_PREFIX: " ", EMBEDDING__INPUT_TYPE: "passage" })).toEqual({
      inputType: { query: "query", document: "passage" },
    });
  });

  test("unknown names are ignored", () => {
    expect(() => loadConfig({ PATH: "/bin", EMBEDDING__UNKNOWN: "x", SERVER_API_KEY_FILE: "y" })).not.toThrow();
  });
});

describe("two names for one setting", () => {
  const pairs: [string, string, string, string][] = [
    ["SERVER_API_KEY", "OPENAI_API_KEY", "sk-first-secret", "sk-second-secret"],
    ["EMBEDDING__MODEL", "EMBEDDING_MODEL", "model-a", "model-b"],
    ["EMBEDDING__BASE_URL", "EMBEDDING_API_BASE_URL", "http://a:4000", "http://b:4000"],
  ];

  test.each(pairs)("%s and %s may both be given when they agree", (first, second, value) => {
    expect(loadConfig({ [first]: value, [second]: value })).toEqual(loadConfig({ [first]: value }));
    expect(loadConfig({ [second]: value })).toEqual(loadConfig({ [first]: value }));
  });

  test.each(pairs)("%s and %s that disagree are refused by both names, without their values", (first, second, a, b) => {
    const problems = problemsOf({ [first]: a, [second]: b });
    expect(problems).toContain(first);
    expect(problems).toContain(second);
    expect(problems).not.toContain(a);
    expect(problems).not.toContain(b);
  });

  test("the same name in two cases is two names", () => {
    const problems = problemsOf({ PORT: "1", port: "2" });
    expect(problems).toContain("PORT and port");
  });

  test("URLs that differ only by /v1 or a slash agree", () => {
    const config = loadConfig({ EMBEDDING__BASE_URL: "http://a:4000/v1/", EMBEDDING_API_BASE_URL: "http://a:4000" });
    expect(config.embedding.baseUrl).toBe("http://a:4000");
  });
});

describe("URLs", () => {
  test.each([
    "http://llm:4000",
    "http://llm:4000/",
    "http://llm:4000/v1",
    "http://llm:4000/v1/",
    "http://llm:4000//v1//",
  ])("%s means the proxy at http://llm:4000", (url) => {
    expect(loadConfig({ LITELLM_PROXY_URL: url }).embedding.baseUrl).toBe("http://llm:4000");
    expect(loadConfig({ EMBEDDING__BASE_URL: url }).embedding.baseUrl).toBe("http://llm:4000");
    expect(loadConfig({ API_URL: url }).apiUrl).toBe("http://llm:4000");
  });

  test("a path before /v1, or one that only begins with v1, is kept", () => {
    expect(loadConfig({ API_URL: "https://h/litellm/v1" }).apiUrl).toBe("https://h/litellm");
    expect(loadConfig({ API_URL: "https://h/v10" }).apiUrl).toBe("https://h/v10");
    expect(loadConfig({ API_URL: "https://h/xv1" }).apiUrl).toBe("https://h/xv1");
  });

  test("EMBEDDING__BASE_URL overrides LITELLM_PROXY_URL, EMBEDDING__API_KEY overrides LITELLM_MASTER_KEY", () => {
    const proxy = { LITELLM_PROXY_URL: "http://proxy", LITELLM_MASTER_KEY: "sk-m" };
    expect(loadConfig(proxy).embedding).toMatchObject({ baseUrl: "http://proxy", apiKey: "sk-m" });
    const other = loadConfig({ ...proxy, EMBEDDING__BASE_URL: "http://other", EMBEDDING__API_KEY: "sk-e" });
    expect(other.embedding).toMatchObject({ baseUrl: "http://other", apiKey: "sk-e" });
  });
});

describe("wrong values", () => {
  test.each([
    ["PORT", "http"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PORT", "80.5"],
    ["EMBEDDING__DIMENSIONS", "0"],
    ["EMBEDDING__DIMENSIONS", "16001"],
    ["EMBEDDING__DIMENSIONS", "many"],
    ["EMBEDDING__DIMENSIONS", "Infinity"],
    ["EMBEDDING__BATCH_SIZE", "0"],
    ["EMBEDDING__QUERY_PREFIX", "x".repeat(501)],
    ["EMBEDDING__INPUT_TYPE", "documents"],
    ["EMBEDDING__TIMEOUT_SECONDS", "0"],
    ["EMBEDDING__RETRY_SECONDS", "-1"],
    ["DATABASE_POOL_SIZE", "0"],
    ["DATABASE_POOL_TIMEOUT_SECONDS", "x"],
    ["DATABASE_STATEMENT_TIMEOUT_SECONDS", "-1"],
    ["DATABASE_START_TIMEOUT_SECONDS", "1h"],
    ["MAX_BODY_MB", "0"],
    ["EXPIRED_STORE_RETENTION_DAYS", "-1"],
    ["LOG_LEVEL", "loud"],
    ["API_URL", "example.com"],
    ["LITELLM_PROXY_URL", "ftp://llm"],
    ["EMBEDDING__BASE_URL", "javascript:alert(1)"],
    ["DB_FIELDS__ID_FIELD", 'id"'],
    ["DB_FIELDS__CONTENT_FIELD", "content; DROP TABLE embeddings"],
    ["DB_FIELDS__METADATA_FIELD", "meta data"],
    ["DB_FIELDS__EMBEDDING_FIELD", "embedding--"],
    ["DB_FIELDS__VECTOR_STORE_ID_FIELD", "1st"],
    ["DB_FIELDS__CREATED_AT_FIELD", "t.created_at"],
    ["DB_FIELDS__ID_FIELD", "é"],
    ["DB_FIELDS__ID_FIELD", "x".repeat(64)],
    ["DB_TABLES__EMBEDDINGS", "a.b.c"],
    ["DB_TABLES__EMBEDDINGS", "embeddings e"],
    ["DB_TABLES__VECTOR_STORES", "public."],
    ["ADOPTED_OWNER", "zoe"],
    ["ADOPTED_OWNER", "team:"],
    ["ADOPTED_OWNER", "key:abc"],
    ["DB_TABLES__VECTOR_STORES", "stores'"],
  ])("%s=%j stops the start, naming the setting", (name, value) => {
    expect(problemsOf({ [name]: value })).toContain(`- ${name} `);
  });

  test("all of them are reported at once", () => {
    const problems = problemsOf({ PORT: "x", LOG_LEVEL: "y", DB_FIELDS__ID_FIELD: "z z" });
    for (const name of ["PORT", "LOG_LEVEL", "DB_FIELDS__ID_FIELD"]) expect(problems).toContain(name);
  });

  test("one column for two fields, or one table for both, is refused with both names", () => {
    const fields = problemsOf({ DB_FIELDS__CONTENT_FIELD: "body", DB_FIELDS__METADATA_FIELD: "body" });
    expect(fields).toContain("DB_FIELDS__METADATA_FIELD and DB_FIELDS__CONTENT_FIELD");
    expect(problemsOf({ DB_FIELDS__CONTENT_FIELD: "id" })).toContain("DB_FIELDS__ID_FIELD");
    expect(problemsOf({ DB_TABLES__EMBEDDINGS: "vector_stores" })).toContain("DB_TABLES__VECTOR_STORES");
    expect(() => loadConfig({ DB_FIELDS__CONTENT_FIELD: "vector_stores" })).not.toThrow();
  });

  test("SQL keywords, mixed case and a schema before a table are valid names", () => {
    const config = loadConfig({
      DB_FIELDS__ID_FIELD: "order",
      DB_FIELDS__CONTENT_FIELD: "Select",
      DB_TABLES__EMBEDDINGS: "app.Rows",
    });
    expect(config.database.fields).toMatchObject({ id: "order", content: "Select" });
    expect(config.database.tables.embeddings).toBe("app.Rows");
  });
});

test("nothing in the configuration can be changed afterwards", () => {
  const unfrozen = (value: object): string[] =>
    Object.entries(value).flatMap(([name, item]) =>
      typeof item === "object" && item !== null
        ? [...(Object.isFrozen(item) ? [] : [name]), ...unfrozen(item as object)]
        : [],
    );
  const config = loadConfig({});
  expect(Object.isFrozen(config)).toBe(true);
  expect(unfrozen(config)).toEqual([]);
});

test("traces are sent when OpenTelemetry's endpoint is set, unless its SDK is disabled", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
  expect(loadConfig({}).tracing).toBe(false);
  expect(loadConfig(endpoint).tracing).toBe(true);
  expect(loadConfig({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector:4318/v1/traces" }).tracing).toBe(true);
  expect(loadConfig({ ...endpoint, OTEL_SDK_DISABLED: "true" }).tracing).toBe(false);
  expect(problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" })).toContain(
    "OTEL_EXPORTER_OTLP_ENDPOINT must be",
  );
});

test("recall is probed every hour, or never", () => {
  expect(loadConfig({}).indexing.probeMs).toBe(3_600_000);
  expect(loadConfig({ RECALL_PROBE_MINUTES: "0" }).indexing.probeMs).toBeNull();
});
