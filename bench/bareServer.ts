import { createServer } from "node:http";
import { z } from "zod";
import { createSource, kinds } from "./data.js";
import { openRaw } from "./database.js";
import { recordSearches, replay } from "./recording.js";

/**
 * The limit for searches: Node's http and the database client, running exactly the statements of the service's own
 * searches, and nothing else: no key, no checks, no lookup of the store, no embedding; rows are returned as they come.
 */

const settings = z
  .object({
    PORT: z.coerce.number(),
    HOST: z.string(),
    DATABASE_URL: z.string().optional(),
    DATA_DIR: z.string(),
    BENCH_STORE_ID: z.string(),
    BENCH_LIMIT: z.coerce.number(),
    BENCH_DIMENSIONS: z.coerce.number(),
    BENCH_VECTORS: z.enum(kinds),
    BENCH_QUERIES: z.coerce.number(),
  })
  .parse(process.env);

const { DATA_DIR, DATABASE_URL } = settings;
const environment = { DATA_DIR, ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }) };
const source = createSource(settings.BENCH_VECTORS, settings.BENCH_DIMENSIONS);
const queries = Array.from({ length: settings.BENCH_QUERIES }, (_, n) => source.query(n));
const searches = await recordSearches(environment, settings.BENCH_STORE_ID, queries, settings.BENCH_LIMIT);
const searchOf = new Map(queries.map(({ text }, n) => [text, searches[n] ?? []]));
const raw = await openRaw(environment);

const server = createServer((req, res) => {
  let body = "";
  req.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
  req.once("end", () => {
    if (req.method === "GET") return void res.end("ready");
    const { query } = JSON.parse(body) as { query: string };
    replay(raw, searchOf.get(query) ?? []).then(
      (data) => res.setHeader("content-type", "application/json").end(JSON.stringify({ data })),
      (error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      },
    );
  });
});
server.listen(settings.PORT, settings.HOST);

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void raw.close().then(() => process.exit(0));
});
