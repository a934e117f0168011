import type { Command } from "commander";
import { pino } from "pino";
import { type Config, loadConfig } from "../process/config.js";
import { type Io } from "./io.js";
import { printable } from "../words/readable.js";

const help = `
"vector-store serve" does the same when it starts. Use this command to migrate in a separate step, for example with a
database role that may create tables while the server's role may not. Safe to repeat, and safe while servers run: one
process migrates, the others wait. Stop the server of an embedded database first: only one process can open it.

Example:
  $ DATABASE_URL=postgresql://owner@db/vectors vector-store migrate`;

export function migrateCommand(program: Command, io: Io): void {
  program
    .command("migrate")
    .description("create or update the tables, and say what was done")
    .addHelpText("after", help)
    .action(async () => {
      const config = loadConfig(io.environment());
      const { openDatabase } = await import("../db/connection/openDatabase.js");
      const report = new Report(io);
      const db = await openDatabase(config, report.log);
      await db.close();
      io.stdout.write(`${report.summary(config)}\n`);
    });
}

/** Turns the log messages of a migration into sentences. */
class Report {
  private applied = 0;

  constructor(private readonly io: Io) {}

  readonly log = pino(
    { level: "info", base: null },
    {
      write: (line: string) => {
        this.tell(line);
      },
    },
  );

  private tell(line: string): void {
    const { msg, migration, tables } = JSON.parse(line) as {
      msg?: string;
      migration?: string;
      tables?: (string | null)[];
    };
    if (msg === "migrated" && migration !== undefined) {
      this.applied += 1;
      this.io.stdout.write(`applied  ${migration}\n`);
    } else if (msg === "adopting existing tables") {
      const names = (tables ?? []).filter((name) => name !== null).join(", ");
      this.io.stdout.write(`adopting the existing tables: ${printable(names)}\n`);
    } else if (msg !== undefined) {
      this.io.stderr.write(`${printable(msg)}\n`);
    }
  }

  summary(config: Config): string {
    const where = config.database.url === null ? `The embedded database in ${config.dataDir}` : "The database";
    if (this.applied === 0) return `${where} is up to date; there was nothing to do.`;
    return `${where} is up to date: ${this.applied} ${this.applied === 1 ? "migration" : "migrations"} applied.`;
  }
}
