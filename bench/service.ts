import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Target } from "./database.js";
import { dimensions } from "./data.js";
import { type HttpClient, createHttpClient } from "./http.js";
import { type RunningProcess, startProcess } from "./process.js";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Service extends RunningProcess {
  http: HttpClient;
  /** For the results, e.g. "PostgreSQL 18.4 + pgvector 0.8.5". */
  database: string;
  version: string;
  createStore(): Promise<string>;
  /** @throws when the store does not say that it holds exactly so many rows: a benchmark that loses rows is none. */
  expectRows(storeId: string, rows: number): Promise<void>;
}

export function build(): void {
  execFileSync("npm", ["run", "build", "--silent"], { cwd: root, stdio: "inherit" });
}

/** The service as an operator starts it: the built program in a process of its own, default settings, the built-in embedder. */
export async function startService(target: Target): Promise<Service> {
  const key = `sk-bench-${randomBytes(16).toString("hex")}`;
  await mkdir(target.environment.DATA_DIR, { recursive: true });
  const running = await startProcess([`${root}/dist/cli/main.js`, "serve"], {
    // A directory without an .env file.
    cwd: target.directory,
    environment: { ...target.environment, SERVER_API_KEY: key, EMBEDDING__DIMENSIONS: String(dimensions) },
    ready: "/readyz",
  });
  const http = createHttpClient(running.url, key);
  const health = healthAnswer.parse(JSON.parse(await http.get("/health")));
  const { kind, version, pgvector } = health.database;
  return {
    ...running,
    http,
    database: `${kind === "pglite" ? "PGlite, PostgreSQL" : "PostgreSQL"} ${version} + pgvector ${pgvector}`,
    version: health.version,
    createStore: async () => storeAnswer.parse(JSON.parse(await http.post("/v1/vector_stores", { name: "bench" }))).id,
    expectRows: async (storeId, rows) => {
      const store = storeAnswer.parse(JSON.parse(await http.get(`/v1/vector_stores/${storeId}`)));
      const { completed } = store.file_counts;
      if (completed !== rows) throw new Error(`the store says that it holds ${completed} rows, but ${rows} were sent`);
    },
  };
}

/** The bare server of bareServer.ts on the same database. */
export async function startBareServer(target: Target, storeId: string, limit: number): Promise<RunningProcess> {
  const script = fileURLToPath(new URL("bareServer.ts", import.meta.url));
  return startProcess(["--import", import.meta.resolve("tsx"), script], {
    cwd: root,
    environment: { ...target.environment, BENCH_STORE_ID: storeId, BENCH_LIMIT: String(limit) },
    ready: "/",
  });
}

const healthAnswer = z.object({
  version: z.string(),
  database: z.object({ kind: z.string(), version: z.string(), pgvector: z.string() }),
});

const storeAnswer = z.object({ id: z.string(), file_counts: z.object({ completed: z.int() }) });
