import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type Source, wireBatch } from "./data.js";
import { createTarget, openRaw } from "./database.js";
import { startEmbeddingServer } from "./embeddingServer.js";
import { createHttpClient } from "./http.js";
import { type Measured, measure } from "./load.js";
import { startProcess } from "./process.js";
import { type Pace, k } from "./searching.js";

const rows = 10_000;
const batch = 100;
const dimensions = 1536;

/** Its schema, as created by `prisma db push`. */
const tables = `
  CREATE EXTENSION IF NOT EXISTS vector;
  CREATE TABLE vector_stores (id text PRIMARY KEY DEFAULT gen_random_uuid()::text, name text NOT NULL, file_counts jsonb,
    status text NOT NULL DEFAULT 'completed', usage_bytes integer DEFAULT 0,
    created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, expires_after jsonb, expires_at timestamp(3),
    last_active_at timestamp(3), metadata jsonb);
  CREATE TABLE embeddings (id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    vector_store_id text NOT NULL REFERENCES vector_stores (id) ON UPDATE CASCADE ON DELETE CASCADE, content text NOT NULL,
    embedding vector(${dimensions}) NOT NULL, metadata jsonb, created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP)`;

/**
 * The same searches through litellm-pgvector's own API: its main.py run by uvicorn from a checkout that is ready to run
 * (requirements installed, Prisma client generated), with embeddings from a server that answers immediately. It creates
 * no index, so it searches exactly.
 */
export async function measureLitellmPgvector(
  options: Pace & {
    databaseUrl: string;
    checkout: string;
    python?: string | undefined;
    clients: readonly number[];
    source: Source;
  },
): Promise<(Measured & { rows: number })[]> {
  const { source } = options;
  const checkout = resolve(options.checkout);
  const target = await createTarget(options.databaseUrl);
  const { DATABASE_URL } = target.environment;
  if (DATABASE_URL === undefined) throw new Error("litellm-pgvector needs a PostgreSQL server, not pglite");
  const raw = await openRaw(target.environment);
  await raw.query(tables);
  const key = "sk-bench";
  const own = join(checkout, ".venv", "bin", "python");
  const { url } = await startProcess(["-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "{port}"], {
    command: options.python ?? (existsSync(own) ? own : "python3"),
    cwd: checkout,
    environment: {
      DATABASE_URL,
      OPENAI_API_KEY: key,
      EMBEDDING__BASE_URL: await startEmbeddingServer(source.vectorOf),
      EMBEDDING__API_KEY: key,
      EMBEDDING__MODEL: "openai/bench",
      EMBEDDING__DIMENSIONS: String(dimensions),
    },
    ready: "/health",
  });
  const http = createHttpClient(url, key);
  const { id } = z
    .object({ id: z.string() })
    .parse(JSON.parse(await http.post("/v1/vector_stores", { name: "bench" })));
  for (let start = 0; start < rows; start += batch) {
    const body = wireBatch(
      Array.from({ length: batch }, (_, i) => source.row(start + i)),
      "numbers",
    );
    // It stores the rows and may then fail to build its answer; stored rows are counted below.
    await http.post(`/v1/vector_stores/${id}/embeddings/batch`, body).catch(() => undefined);
  }
  const [stored] = await raw.query<{ count: number }>("SELECT count(*)::int AS count FROM embeddings");
  if (stored?.count !== rows) throw new Error(`litellm-pgvector stored ${stored?.count ?? 0} rows of ${rows}`);
  await raw.query("VACUUM (ANALYZE) embeddings");
  const bodies = Array.from({ length: 200 }, (_, n) =>
    Buffer.from(JSON.stringify({ query: source.query(n).text, limit: k })),
  );
  const results: (Measured & { rows: number })[] = [];
  for (const clients of options.clients) {
    const work = (client: number, turn: number) =>
      http.post(`/v1/vector_stores/${id}/search`, bodies[(client * 37 + turn) % bodies.length] ?? Buffer.alloc(0));
    await measure(clients, options.warmup, work);
    results.push({ ...(await measure(clients, options.seconds, work)), rows });
  }
  return results;
}
