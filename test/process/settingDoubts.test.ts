import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { loadConfig } from "../../src/process/config.js";
import { doubtsAbout } from "../../src/process/settingDoubts.js";
import { problemsOf } from "./configProblems.js";

const strong = "sk-Zx7vQ2mN8pL4tR6w";
const doubts = (environment: Record<string, string>) => doubtsAbout(environment, loadConfig(environment));

describe("misspelt settings", () => {
  test.each([
    ["EMBEDING__MODEL", "EMBEDDING__MODEL"],
    ["EMBEDDING_DIMENSIONS", "EMBEDDING__DIMENSIONS"],
    ["embedding__dimension", "EMBEDDING__DIMENSIONS"],
    ["SERVER_APIKEY", "SERVER_API_KEY"],
    ["LITELLM_PROXY_URI", "LITELLM_PROXY_URL"],
    ["DATABASE_POOLSIZE", "DATABASE_POOL_SIZE"],
    ["INGEST_CONCURENCY", "INGEST_CONCURRENCY"],
    ["CORS_ORIGIN", "CORS_ORIGINS"],
  ])("%s is named, with the setting %s and without its value", (name, meant) => {
    expect(doubts({ [name]: "hunter2" })).toEqual([`${name} is not a setting and is ignored; ${meant} is one`]);
  });

  test("a name that only our settings can have is named, even if no setting is near", () => {
    expect(doubts({ DB_FIELDS__OWNER: "hunter2" })).toEqual([
      "DB_FIELDS__OWNER is not a setting and is ignored; .env.example lists all settings",
    ]);
  });

  test("nothing else in an environment is: the system's, the proxy's, Kubernetes' links, empty values, our own", () => {
    const environment = {
      ...{ PATH: "/bin", HOME: "/root", PWD: "/", LANG: "C", TERM: "xterm", HOSTNAME: "pod", NODE_ENV: "production" },
      ...{ LITELLM_LOG: "x", LITELLM_SALT_KEY: "x", OPENAI_BASE_URL: "x", POSTGRES_PASSWORD: "x", PGHOST: "x" },
      ...{ DATABASE_SERVICE_HOST: "1.2.3.4", DATABASE_PORT_5432_TCP_ADDR: "1.2.3.4", EMBEDING__MODEL: " " },
      ...{ VECTOR_STORE_URL: "x", VECTOR_STORE_KEY: "x", EMBEDDING_MODEL: "m", OTEL_SERVICE_NAME: "x" },
      ...{ NODE_OPTIONS: "x", npm_config_cache: "x", API_KEY: "x", LOGNAME: "x", SHELL: "x", PORTS: "x", USER: "x" },
    };
    expect(doubts(environment)).toEqual([]);
  });

  test("no setting of .env.example is", () => {
    const lines = readFileSync(".env.example", "utf8").matchAll(/^#([A-Z][A-Z0-9_]*)=(.*)$/gm);
    const names = [...lines].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(40);
    expect(doubtsAbout(Object.fromEntries(names.map((name) => [name, "x"])), loadConfig({}))).toEqual([]);
  });
});

describe("keys", () => {
  test.each([
    "your-api-key-here",
    "your-api-key",
    "sk-your-api-key",
    "sk-your-key",
    "sk-1234",
    "sk-master-key",
    "changeme",
    "CHANGEME",
    "a-long-random-key",
    "sk-...",
  ])("%s stands in an example, so the server does not start with it", (key) => {
    const problem = problemsOf({ SERVER_API_KEY: key });
    expect(problem).toContain("SERVER_API_KEY is the key of an example");
    expect(problem).not.toContain(key);
    expect(problemsOf({ OPENAI_API_KEY: key })).toContain("SERVER_API_KEY is the key of an example");
  });

  test("short ones, and LiteLLM's own example, are doubted without being shown", () => {
    expect(doubts({ SERVER_API_KEY: "sk-hunter2", LITELLM_MASTER_KEY: "sk-1234" })).toEqual([
      "SERVER_API_KEY has fewer than 16 characters and can be guessed; openssl rand -hex 24 makes one",
      "LITELLM_MASTER_KEY is the key of an example, which everybody knows",
    ]);
    expect(doubts({ SERVER_API_KEY: strong, LITELLM_MASTER_KEY: strong })).toEqual([]);
  });
});

describe("who ingests", () => {
  test("INGEST_CONCURRENCY=0 is for a database that a worker can share", () => {
    expect(loadConfig({ INGEST_CONCURRENCY: "0", DATABASE_URL: "postgresql://h/d" }).files.concurrency).toBe(0);
    expect(loadConfig({ INGEST_CONCURRENCY: "0", DATABASE_HOST: "h" }).files.concurrency).toBe(0);
    expect(problemsOf({ INGEST_CONCURRENCY: "0" })).toContain("only this process can open the embedded database");
  });
});

describe("CORS_ORIGINS", () => {
  test("is off, everything, or a list of exact origins", () => {
    expect(loadConfig({}).corsOrigins).toBeNull();
    expect(loadConfig({ CORS_ORIGINS: "*" }).corsOrigins).toEqual(["*"]);
    const list = "https://a.example, http://localhost:3000";
    expect(loadConfig({ CORS_ORIGINS: list }).corsOrigins).toEqual(["https://a.example", "http://localhost:3000"]);
  });

  test.each([
    "https://a.example/",
    "https://a.example/app",
    "a.example",
    "*,https://a.example",
    "null",
    "https://A.example",
    "https://*.example,",
  ])("%s is refused", (origins) => {
    expect(problemsOf({ CORS_ORIGINS: origins })).toContain("CORS_ORIGINS must be");
  });
});

describe("TRUSTED_PROXIES", () => {
  test("are addresses, networks, and Express' names of some", () => {
    expect(loadConfig({}).trustedProxies).toEqual([]);
    const list = "10.0.0.0/8, 192.0.2.1,fd00::/8, ::1, loopback, linklocal, uniquelocal";
    expect(loadConfig({ TRUSTED_PROXIES: list }).trustedProxies).toHaveLength(7);
  });

  test.each([
    "true",
    "1",
    "*",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0",
    "::/129",
    "10.0.0.0/8/8",
    "ingress",
    "10.0.0.1/a",
  ])("%s is refused", (proxies) => {
    expect(problemsOf({ TRUSTED_PROXIES: proxies })).toContain("TRUSTED_PROXIES must be addresses or networks");
  });
});

test("SESSION_HOURS is at most 8", () => {
  expect(loadConfig({}).access.sessionMs).toBe(8 * 3_600_000);
  expect(loadConfig({ SESSION_HOURS: "1" }).access.sessionMs).toBe(3_600_000);
  for (const hours of ["0", "9", "1.5"])
    expect(problemsOf({ SESSION_HOURS: hours })).toContain("SESSION_HOURS must be");
});

describe("ADMIN_BASE_PATH", () => {
  test("is where the web page is, unless it is off", () => {
    expect(loadConfig({}).page).toEqual({ on: true, basePath: "/admin" });
    const given = loadConfig({ ADMIN_PAGE: "off", ADMIN_BASE_PATH: "/a/b-1_2" });
    expect(given.page).toEqual({ on: false, basePath: "/a/b-1_2" });
  });

  test.each([
    "/",
    "admin",
    "/admin/",
    "//admin",
    "/a b",
    "/a.b",
    "/%61",
    "/a/../b",
    "/v1",
    "/v1/admin",
    "/docs",
    "/sessions",
  ])("%s is refused", (path) => {
    expect(problemsOf({ ADMIN_BASE_PATH: path })).toContain("ADMIN_BASE_PATH must");
  });
});
