import { Argument, Command, InvalidArgumentError } from "commander";
import { cleanUp } from "../cleanup.js";
import { build } from "../service.js";
import { watchDirectory } from "./directory.js";
import { fuzz } from "./fuzz.js";
import { killServers } from "./kills.js";
import { watchMemory } from "./memory.js";
import type { Pace } from "./pace.js";
import { killReplicas } from "./replicas.js";
import { type Outcome, report } from "./verdict.js";

interface Part {
  /** Its share of the time. */
  share: number;
  run: (pace: Pace) => Promise<Outcome>;
}

/** In this order. The kills come last, and have what the others leave of the time. */
const parts: Record<string, Part> = {
  replicas: { share: 6, run: killReplicas },
  fuzz: { share: 5, run: fuzz },
  memory: { share: 15, run: watchMemory },
  directory: { share: 6, run: watchDirectory },
  kills: { share: 28, run: killServers },
};

/** The time in which every part does all it is to do, on two cores. */
const wholeMinutes = 60;

interface Options {
  databaseUrl?: string;
  minutes: number;
  seed: number;
  build: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("not a positive number.");
  return value;
}

const program = new Command("npm run check:faults --")
  .description("Attacks real server processes, and fails when anything is lost, hangs, breaks or grows.")
  .addArgument(new Argument("[parts...]", "what to run; default: all").choices(Object.keys(parts)))
  .option("--database-url <url>", "a PostgreSQL server on which to create databases; default: DATABASE_URL")
  .option(
    "--minutes <n>",
    "time for all named parts; with fewer than their share of 60, each does what it can",
    positive,
  )
  .option("--seed <n>", "repeats the choices of a run; the moments of kills depend on the machine too", positive)
  .option("--no-build", "attack dist/ without building it")
  .action(async (names: string[], options: Partial<Options>) => {
    const databaseUrl = options.databaseUrl ?? process.env.DATABASE_URL ?? "";
    if (databaseUrl === "") program.error("Set --database-url or DATABASE_URL.");
    if (options.build !== false) build();
    const chosen = Object.entries(parts).filter(([name]) => names.length === 0 || names.includes(name));
    const shares = chosen.reduce((sum, [, { share }]) => sum + share, 0);
    const all = Object.values(parts).reduce((sum, { share }) => sum + share, 0);
    const fair = (wholeMinutes * shares) / all;
    const minutes = options.minutes ?? fair;
    let [passed, failed] = [0, 0];
    const end = performance.now() + minutes * 60_000;
    for (const [i, [name, { share, run }]] of chosen.entries()) {
      const begun = performance.now();
      const outcome = await run({
        deadline: i === chosen.length - 1 ? end : begun + (minutes * 60_000 * share) / shares,
        whole: minutes >= fair,
        seed: options.seed ?? Math.floor(Math.random() * 1e6),
        databaseUrl,
      });
      report(name, outcome);
      console.log(`      ${name}: ${Math.round((performance.now() - begun) / 1000)} s`);
      const bad = outcome.checks.filter(({ contradictions }) => contradictions.length > 0).length;
      failed += bad;
      passed += outcome.checks.length - bad;
      await cleanUp();
    }
    console.log(`${passed} passed, ${failed} failed`);
    if (failed > 0) process.exitCode = 1;
  });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
