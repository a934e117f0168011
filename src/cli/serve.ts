import type { Command } from "commander";

const help = `
The most important settings (.env.example has all):
  DATABASE_URL            postgresql://user:password@host:5432/database; without it, the embedded database in DATA_DIR
  DATA_DIR                the embedded database and the generated key (./data)
  HOST, PORT              where to listen (0.0.0.0, 8000)
  SERVER_API_KEY          the key that callers must send; without any key, the first start makes one in
                          DATA_DIR/server-key
  LITELLM_PROXY_URL       the proxy that makes embeddings; without it, a built-in embedder compares words, not meaning
  LITELLM_MASTER_KEY      its master key, also accepted from callers
  EMBEDDING__MODEL        the embedding model's name at the proxy
  EMBEDDING__DIMENSIONS   how many numbers its vectors have (1536)

The first start creates the tables, or adopts those of litellm-pgvector without rewriting a row. After SIGTERM or
SIGINT, accepted requests still finish.

Example:
  $ PORT=9000 SERVER_API_KEY=$(openssl rand -hex 24) vector-store serve`;

const workerHelp = `
Does the server's work in the background without its API: ingests files, builds indexes, removes what has expired. Run
it beside servers with INGEST_CONCURRENCY=0, on the same database and with the same settings, so that reading documents
takes no time from searches. Its PORT has only /livez, /readyz, /health and /metrics, and needs no key. Not for the
embedded database, which only one process can open.

Example:
  $ PORT=8001 INGEST_CONCURRENCY=4 vector-store worker`;

export function serveCommand(program: Command): void {
  program
    .command("serve")
    .description("start the server")
    .addHelpText("after", help)
    .action(async () => {
      // Imported here, because other commands start faster without Express and the database drivers.
      const { serve } = await import("../main.js");
      await serve();
    });
}

export function workerCommand(program: Command): void {
  program
    .command("worker")
    .description("ingest files and keep indexes up to date, without the API")
    .addHelpText("after", workerHelp)
    .action(async () => {
      const { work } = await import("../main.js");
      await work();
    });
}
