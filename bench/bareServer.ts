import { Kysely, PostgresDialect } from "kysely";
import { createServer } from "node:http";
import { loadConfig } from "../src/config.js";
import { type Executor, openDatabase } from "../src/db/database.js";
import { encodeVector } from "../src/engines/pgvector/binary.js";
import { searchChunks } from "../src/engines/pgvector/search.js";
import { hashText } from "../src/litellm/hashing.js";
import { createLog } from "../src/log.js";
import { dimensions } from "./data.js";
import { openRaw } from "./database.js";

/**
 * The limit that searches are measured against: Node's http and the database client, running the service's own search statement, and
 * nothing else. No key, no checks, no store looked up, no embedding made (the vectors of the queries are kept), rows answered as they come.
 */

/** The statement that the service sends, caught on its way: it cannot drift from what the service does. */
async function searchStatement(environment: Record<string, string>, storeId: string, limit: number) {
  const config = loadConfig({ ...environment, EMBEDDING__DIMENSIONS: String(dimensions) });
  const database = await openDatabase(config, createLog("silent"));
  const { layout } = database;
  await database.close();
  const caught: { text: string; values: readonly unknown[] }[] = [];
  const query = (text: string, values: readonly unknown[]) => {
    caught.push({ text, values });
    return Promise.resolve({ rows: [], rowCount: 0, command: "SELECT" });
  };
  const catching = new Kysely({
    dialect: new PostgresDialect({
      pool: {
        connect: () => Promise.resolve({ query: query as never, release: () => undefined }),
        end: () => Promise.resolve(),
      },
    }),
  }) as unknown as Executor;
  await searchChunks(
    { run: catching, layout },
    { storeId, embedding: new Float32Array(dimensions), filter: null, limit },
  );
  const [statement, ...more] = caught;
  if (statement === undefined || more.length > 0) {
    throw new Error(`a search is ${caught.length} statements now; bench/bareServer.ts knows only how to repeat one`);
  }
  const { text, values } = statement;
  const place = values.findIndex((value) => Buffer.isBuffer(value));
  return { text, valuesFor: (vector: Buffer) => values.with(place, vector) };
}

const { BENCH_STORE_ID = "", BENCH_LIMIT, DATABASE_URL, DATA_DIR = "", PORT, HOST } = process.env;
const environment = { DATA_DIR, ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }) };
const { text, valuesFor } = await searchStatement(environment, BENCH_STORE_ID, Number(BENCH_LIMIT));
const raw = await openRaw(environment);

const vectors = new Map<string, Buffer>();
function vectorOf(query: string): Buffer {
  const vector = vectors.get(query) ?? encodeVector(hashText(query, dimensions));
  vectors.set(query, vector);
  return vector;
}

const server = createServer((req, res) => {
  let body = "";
  req.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
  req.once("end", () => {
    if (req.method === "GET") return void res.end("ready");
    const { query } = JSON.parse(body) as { query: string };
    raw.query(text, valuesFor(vectorOf(query))).then(
      (data) => res.setHeader("content-type", "application/json").end(JSON.stringify({ data })),
      (error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      },
    );
  });
});
server.listen(Number(PORT), HOST);

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void raw.close().then(() => process.exit(0));
});
