import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Target } from "./database.js";
import { type HttpClient, createHttpClient } from "./http.js";
import { type RunningProcess, startProcess } from "./process.js";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Far more than the three minutes that an index of 200,000 rows took on two cores. */
const indexLimitMs = 60 * 60_000;
/** This many rows may stay beside the index permanently (engines/pgvector/upkeep/upkeep.ts)… */
const fewFresh = 200;
/**
 * …and so may more, if their number does not fall for this long: after the first build of a large store its copies are
 * removed first, which takes a minute or two.
 */
const restMs = 300_000;

export interface ServiceOptions {
  dimensions: number;
  /** The operator's settings, by name. */
  settings: Readonly<Record<string, string>>;
  /** URL of an embedding server; without it the built-in embedder is used. */
  embeddingUrl?: string;
  /** Directory of another built version; default: this one. */
  program?: string;
}

export interface Service extends RunningProcess {
  http: HttpClient;
  /** The server key, for requests that `http` cannot make. */
  key: string;
  /** For the results, e.g. "PostgreSQL 18.4 + pgvector 0.8.5". */
  database: string;
  version: string;
  createStore(body?: object): Promise<string>;
  countRows(storeId: string): Promise<number>;
  /** @throws if the store does not report exactly this many rows: a benchmark must not lose rows */
  expectRows(storeId: string, rows: number): Promise<void>;
  /** Waits until the store is indexed, if it will be. @returns a description of its index */
  untilIndexed(storeId: string): Promise<string>;
}

export function build(): void {
  execFileSync("npm", ["run", "build", "--silent"], { cwd: root, stdio: "inherit" });
}

/**
 * The service as an operator starts it: the built program in a separate process, with default settings except those
 * given.
 */
export async function startService(target: Target, options: ServiceOptions): Promise<Service> {
  const key = options.settings.SERVER_API_KEY ?? `sk-bench-${randomBytes(16).toString("hex")}`;
  await mkdir(target.environment.DATA_DIR, { recursive: true });
  const { dimensions, settings, embeddingUrl } = options;
  const proxy = embeddingUrl === undefined ? {} : { EMBEDDING__BASE_URL: embeddingUrl, EMBEDDING__MODEL: "bench" };
  const running = await startProcess([join(options.program ?? root, "dist/cli/main.js"), "serve"], {
    // A directory without an .env file.
    cwd: target.directory,
    environment: {
      ...target.environment,
      SERVER_API_KEY: key,
      EMBEDDING__DIMENSIONS: String(dimensions),
      // At the end of a measurement, no client needs time to move elsewhere.
      SHUTDOWN_DELAY_SECONDS: "0",
      ...proxy,
      ...settings,
    },
    ready: "/readyz",
  });
  if (!(await isOurs(running, key))) return startService(target, options);
  const http = createHttpClient(running.url, key);
  const { version, database } = healthAnswer.parse(JSON.parse(await http.get("/health")));
  const getStore = async (id: string) => storeAnswer.parse(JSON.parse(await http.get(`/v1/vector_stores/${id}`)));
  const countRows = async (id: string) => (await getStore(id)).file_counts.completed;
  return {
    ...running,
    http,
    key,
    database: `${database.kind === "pglite" ? "PGlite, PostgreSQL" : "PostgreSQL"} ${database.version} + pgvector ${database.pgvector}`,
    version,
    createStore: async (body = {}) =>
      storeAnswer.parse(JSON.parse(await http.post("/v1/vector_stores", { name: "bench", ...body }))).id,
    countRows,
    expectRows: async (storeId, rows) => {
      const completed = await countRows(storeId);
      if (completed !== rows) throw new Error(`the store reports ${completed} rows, but ${rows} were sent`);
    },
    untilIndexed: async (storeId) => {
      const begun = Date.now();
      let fresh = { rows: -1, since: begun };
      for (;;) {
        const { index } = await getStore(storeId);
        if (index === undefined) return "no index";
        const now = Date.now();
        if (index.fresh !== fresh.rows) fresh = { rows: index.fresh, since: now };
        const resting = index.fresh < fewFresh || now - fresh.since > restMs;
        if ((index.state === "none" || (index.state === "ready" && resting)) && index.keywords !== "building") {
          const seconds = ((now - begun) / 1000).toFixed(0);
          const words = index.keywords === "off" ? "" : ", keywords";
          if (index.state === "none") return `exact${words}`;
          return `HNSW of ${index.indexed} rows, ${index.fresh} beside it${words}, after ${seconds} s`;
        }
        if (now - begun > indexLimitMs) throw new Error(`no index in time: ${JSON.stringify(index)}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
  };
}

/**
 * Whether the server that answers is the one that was started. While that loads, another program may take its port, and
 * answer in its place.
 * @throws if it is, and refuses its own key
 */
async function isOurs({ url, hasEnded }: RunningProcess, key: string): Promise<boolean> {
  const asked = await fetch(`${url}/v1/vector_stores?limit=1`, { headers: { authorization: `Bearer ${key}` } });
  if (asked.status !== 401) return true;
  const deadline = Date.now() + 10_000;
  while (!hasEnded()) {
    if (Date.now() > deadline) throw new Error(`${url} refuses the key that it was started with`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** The bare server (bareServer.ts) on the same database, for the first `queries` queries of a source. */
export async function startBareServer(
  target: Target,
  about: { storeId: string; limit: number; dimensions: number; vectors: string; queries: number },
): Promise<RunningProcess> {
  const script = fileURLToPath(new URL("bareServer.ts", import.meta.url));
  return startProcess(["--import", import.meta.resolve("tsx"), script], {
    cwd: root,
    environment: {
      ...target.environment,
      BENCH_STORE_ID: about.storeId,
      BENCH_LIMIT: String(about.limit),
      BENCH_DIMENSIONS: String(about.dimensions),
      BENCH_VECTORS: about.vectors,
      BENCH_QUERIES: String(about.queries),
    },
    ready: "/",
  });
}

const healthAnswer = z.object({
  version: z.string(),
  database: z.object({ kind: z.string(), version: z.string(), pgvector: z.string() }),
});

const storeAnswer = z.object({
  id: z.string(),
  file_counts: z.object({ completed: z.int() }),
  index: z
    .object({
      state: z.enum(["none", "waiting", "building", "ready"]),
      indexed: z.int().default(0),
      fresh: z.int().default(0),
      keywords: z.enum(["off", "building", "ready"]),
    })
    .optional(),
});
