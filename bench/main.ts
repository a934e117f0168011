import { Command, InvalidArgumentError, Option } from "commander";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { benchAccess } from "./access.js";
import { benchBodies } from "./bodies.js";
import { cleanUp } from "./cleanup.js";
import { kinds } from "./data.js";
import { benchFilters } from "./filters.js";
import { benchHybrid } from "./hybrid.js";
import { benchImport } from "./import.js";
import { benchIngest } from "./ingest.js";
import { benchInsert } from "./insert.js";
import { benchMixed } from "./mixed.js";
import { benchPage } from "./page.js";
import { benchRag } from "./rag.js";
import { benchRollout } from "./rollout.js";
import { type Report, type Result, describeMachine, readResult } from "./results.js";
import { benchSearch } from "./search.js";
import { build } from "./service.js";
import { benchStores } from "./stores.js";
import { fillIn, goalLine, markdown } from "./table.js";
import { benchVectorForms } from "./vectorForms.js";

interface Common {
  databaseUrl?: string;
  seconds: number;
  warmup?: number;
  set: Record<string, string>;
  build: boolean;
  json?: string;
  check?: true;
}

/** Options whose default is computed. */
interface Resolved {
  databaseUrl: string;
  warmup: number;
  settings: Record<string, string>;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("not a number.");
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("not a whole number.");
  return value;
}

const counts = (text: string) => text.split(",").map(count);

function setting(text: string, before: Record<string, string>): Record<string, string> {
  const [name = "", ...value] = text.split("=");
  if (value.length === 0) throw new InvalidArgumentError("expected NAME=VALUE.");
  return { ...before, [name]: value.join("=") };
}

const program = new Command("npm run bench --").description(
  "Measures a real server process, and what the same database does without it.",
);

function benchCommand(name: string, description: string, run: (options: never) => Promise<Report>): Command {
  return program
    .command(name)
    .description(description)
    .option(
      "--database-url <url>",
      "a PostgreSQL server on which to create a database (dropped at the end), or `pglite` for the embedded one; default: DATABASE_URL",
    )
    .option("--seconds <n>", "duration of each measurement", number, 5)
    .option("--warmup <n>", "seconds of the same load before it; default: 1 (pglite: 5)", number)
    .option("--set <NAME=VALUE>", "a setting of the server, e.g. HNSW_M=24; may be repeated", setting, {})
    .option("--no-build", "measure dist/ without building it")
    .option("--json <file>", "write the results, for `table`")
    .option("--check", "fail if a goal is not met")
    .action((options: Common) =>
      // A benchmark's options are the common ones and those it declares below.
      bench(options, (resolved) => run({ ...options, ...resolved } as never)),
    );
}

benchCommand("search", "searches/s of the ten nearest rows", benchSearch)
  .option("--rows <list>", "rows of the store", counts, [10_000, 50_000])
  .option("--clients <list>", "concurrent searches", counts, [1, 8, 32])
  .option("--dimensions <list>", "dimensions, e.g. 1536,3072", counts, [1536])
  .addOption(
    new Option("--vectors <kind>", "text: from the built-in embedder; dense: like those of a model")
      .choices(kinds)
      .default("text"),
  )
  .option("--litellm-pgvector <path>", "also measure this checkout of litellm-pgvector, with 10,000 rows")
  .option("--python <path>", "Python for it; default: its .venv/bin/python, or python3");

benchCommand("insert", "rows/s of batch insertion, into new stores and an indexed one", benchInsert)
  .option("--batches <list>", "rows per request", counts, [100, 1000])
  .option("--clients <list>", "concurrent requests", counts, [1, 4])
  .option("--ndjson-rows <n>", "rows of one NDJSON upload, rounded to thousands", number, 5000)
  .option("--indexed-rows <n>", "rows of the indexed store; 0: skip it", number, 100_000)
  .option("--psql <path>", "psql, to measure COPY", "psql");

benchCommand("import", "rows/s of imports from a litellm-pgvector database and from files", benchImport)
  .option("--rows <n>", "rows of the reference database", count, 100_000)
  .option("--rounds <n>", "repetitions of COPY and of each import; the median counts", count, 3)
  .option("--writers <list>", "pages written concurrently", counts, [3])
  .option("--file-rows <n>", "rows of each exported file; 0: skip files", number, 20_000)
  .option("--psql <path>", "psql, to measure COPY", "psql");

benchCommand("mixed", "searches while rows are inserted", benchMixed)
  .option("--rows <n>", "rows of the store at the start", count, 50_000)
  .option("--clients <list>", "concurrent searches", counts, [1, 8])
  .option("--insert-rate <n>", "inserted rows/s", count, 200);

benchCommand("stores", "searches among many stores, and in stores of different sizes", benchStores)
  .option("--stores <n>", "small stores", count, 1000)
  .option("--store-rows <n>", "rows of each", count, 200)
  .option("--sizes <list>", "rows of the other stores", counts, [50, 200, 1000, 5000, 20_000, 100_000]);

benchCommand("filters", "searches with filters that match from half of the rows to very few", benchFilters).option(
  "--rows <n>",
  "rows of the store",
  count,
  200_000,
);

benchCommand("hybrid", "keyword and hybrid searches for rare and common words", benchHybrid).option(
  "--rows <n>",
  "rows of the store",
  count,
  50_000,
);

benchCommand("ingest", "documents of every format from upload to search; one large text", benchIngest)
  .option("--pages <n>", "pages per document", count, 300)
  .option("--large-mb <n>", "size of the large text; 0: skip it", number, 256);

benchCommand("rag", "reranked searches and answers, with models that answer immediately", benchRag)
  .option("--rows <n>", "rows of the store", count, 10_000)
  .option("--clients <list>", "concurrent requests", counts, [1, 8])
  .option("--top-k <n>", "rows to search for, at most 50", count, 5)
  .option("--rerank-window <n>", "context window of the rerank model, in tokens", count, 4096);

benchCommand("access", "requests by LiteLLM keys and by the server's own; lists among very many stores", benchAccess)
  .option("--rows <n>", "rows of the searched store", count, 10_000)
  .option("--keys <n>", "keys that LiteLLM knows", count, 100)
  .option("--unknown-keys <n>", "keys that it does not know", count, 10_000)
  .option("--stores <n>", "stores of others beside the user's 50", count, 100_000)
  .option("--rounds <n>", "repetitions of each comparison, in turn; the median counts", count, 5);

benchCommand("page", "the web page in Chromium: very many stores and files, a large upload", benchPage)
  .option("--stores <n>", "vector stores in the list", count, 100_000)
  .option("--files <n>", "files of one store", count, 10_000)
  .option("--large-mb <n>", "size of the upload", count, 256)
  .option("--turns <n>", "pages of the list, in each of three orders", count, 30);

benchCommand("rollout", "requests while replicas are replaced, and upgraded from an earlier commit", benchRollout)
  .option("--rate <n>", "requests/s", count, 200)
  .option("--replicas <n>", "server processes", count, 2)
  .option("--from <commit>", "the earlier version; default: the last one with a different schema");

benchCommand("bodies", "batches read by our scanner and by JSON.parse, while others search", benchBodies)
  .option("--batch <n>", "rows per request", count, 1000)
  .option("--clients <n>", "clients that post batches", count, 2)
  .option("--rounds <n>", "servers of each reader, in turn; the median counts", count, 3);

benchCommand("vectors", "vectors in our binary form and as pgvector's own package sends them", benchVectorForms)
  .option("--rows <n>", "vectors", count, 1000)
  .option("--rounds <n>", "repetitions, in turn; the median counts", count, 7);

program
  .command("table <files...>")
  .description("write the results of --json files into docs/performance/results.md as tables")
  .option(
    "--into <file>",
    "another file with the two marker lines",
    fileURLToPath(new URL("../docs/performance/results.md", import.meta.url)),
  )
  .action((files: string[], options: { into: string }) => {
    fillIn(options.into, files.map(readResult));
  });

async function bench(options: Common, run: (resolved: Resolved) => Promise<Report>): Promise<void> {
  const databaseUrl = options.databaseUrl ?? process.env.DATABASE_URL ?? "";
  if (databaseUrl === "") program.error("Set --database-url or DATABASE_URL, or use --database-url pglite.");
  if (options.build) build();
  // PGlite is WebAssembly, which each process compiles again, slowly.
  const warmup = options.warmup ?? (databaseUrl === "pglite" ? 5 : 1);
  const settings = options.set;
  const report = await run({ databaseUrl, warmup, settings });
  const measuredAt = new Date().toISOString();
  const result: Result = { ...report, measuredAt, machine: describeMachine(), seconds: options.seconds, settings };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  console.log(markdown(result));
  console.log(`\n${result.goals.map(goalLine).join("\n")}`);
  if (options.check && !result.goals.every((goal) => goal.met)) process.exitCode = 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
