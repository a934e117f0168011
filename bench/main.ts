import { Command, InvalidArgumentError } from "commander";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cleanUp } from "./cleanup.js";
import { type InsertOptions, benchInsert } from "./insert.js";
import { type Result, readResult } from "./results.js";
import { type SearchOptions, benchSearch } from "./search.js";
import { build } from "./service.js";
import { fillIn, markdown } from "./table.js";

interface Common {
  databaseUrl?: string;
  warmup?: number;
  build: boolean;
  json?: string;
}

/** Options whose default is not a constant. */
type Resolved = Pick<InsertOptions, "databaseUrl" | "warmup">;

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new InvalidArgumentError("not a number.");
  return value;
}

function counts(text: string): number[] {
  return text.split(",").map((each) => {
    const value = Number(each);
    if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("whole numbers with commas between.");
    return value;
  });
}

const program = new Command("npm run bench --").description(
  "Measures a real server process, and beside it what the same database does without it.",
);

function benchCommand(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option(
      "--database-url <url>",
      "a PostgreSQL server where a database may be created (it is dropped at the end), or `pglite` for the embedded one; default: DATABASE_URL",
    )
    .option("--seconds <n>", "how long each figure is measured", number, 5)
    .option("--warmup <n>", "seconds of the same load before it; default: 1, and 5 for pglite", number)
    .option("--no-build", "measure dist/ as it is")
    .option("--json <file>", "write the results, for `table`");
}

benchCommand("insert", "rows/s of batch insertion")
  .option("--batches <list>", "rows of a request", counts, [100, 1000])
  .option("--clients <list>", "requests at once", counts, [1, 4])
  .option("--ndjson-rows <n>", "rows of one NDJSON upload, rounded to thousands", number, 5000)
  .option("--psql <path>", "psql, for the COPY limit", "psql")
  .action((options: Common & Omit<InsertOptions, keyof Resolved>) =>
    bench(options, (resolved) => benchInsert({ ...options, ...resolved })),
  );

benchCommand("search", "searches/s of the ten nearest rows")
  .option("--rows <list>", "rows of the store", counts, [10_000, 50_000])
  .option("--clients <list>", "searches at once", counts, [1, 8, 32])
  .action((options: Common & Omit<SearchOptions, keyof Resolved>) =>
    bench(options, (resolved) => benchSearch({ ...options, ...resolved })),
  );

program
  .command("table <files...>")
  .description("puts the results of --json files into docs/performance.md as tables")
  .option(
    "--into <file>",
    "another file with the two marks",
    fileURLToPath(new URL("../docs/performance.md", import.meta.url)),
  )
  .action((files: string[], options: { into: string }) => {
    fillIn(options.into, files.map(readResult));
  });

async function bench(options: Common, run: (resolved: Resolved) => Promise<Result>): Promise<void> {
  const databaseUrl = options.databaseUrl ?? process.env.DATABASE_URL ?? "";
  if (databaseUrl === "") program.error("Set --database-url or DATABASE_URL, or give --database-url pglite.");
  if (options.build) build();
  // PGlite is WebAssembly, which each process compiles anew and slowly.
  const warmup = options.warmup ?? (databaseUrl === "pglite" ? 5 : 1);
  const result = await run({ databaseUrl, warmup });
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  console.log(markdown([result]));
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
