import { pino } from "pino";
import { type Config, loadConfig } from "../../process/config.js";
import type { Deps } from "../../core/deps.js";
import { ApiError } from "../../words/errors.js";
import { CommandError, type Io } from "../io.js";
import { printable } from "../../words/readable.js";

/** The database of an import or export, opened by this process. */
export interface Opened {
  config: Config;
  deps: Deps;
  log: pino.Logger;
  close: () => Promise<void>;
}

/**
 * Opens the database and migrates it, like the start of a server.
 * @param lookOnly change nothing, not even by a migration
 * @throws StartupError, CommandError if `lookOnly` and the database needs a migration
 */
export async function openTarget(io: Io, { lookOnly }: { lookOnly: boolean }): Promise<Opened> {
  const config = loadConfig(io.environment());
  const log = warnings(io);
  if (lookOnly) await requirePrepared(config, log);
  const { createService } = await import("../../service.js");
  const { openDatabase } = await import("../../db/connection/openDatabase.js");
  const db = await openDatabase(config, log);
  // Silent, because warnings about models concern a server's start; the command names models in its result.
  const service = createService({ config, db, log: pino({ level: "silent" }) });
  return { config, deps: service.deps, log, close: () => service.close() };
}

/** Prints a server's warnings as sentences. */
function warnings(io: Io): pino.Logger {
  const write = (line: string) => {
    const { msg } = JSON.parse(line) as { msg?: string };
    if (msg !== undefined) io.stderr.write(`${printable(msg)}\n`);
  };
  return pino({ level: "warn", base: null }, { write });
}

/** @throws CommandError if opening the database would create or change tables */
async function requirePrepared(config: Config, log: pino.Logger): Promise<void> {
  const { openToLook, migrationFacts } = await import("../../db/diagnose/probe.js");
  const { locateTables } = await import("../../db/schema/tables.js");
  const { parseDatabaseUrl } = await import("../../db/connection/url.js");
  const opened = await openToLook(config, log);
  // `openDatabase` will report that.
  if (opened === "in use") return;
  const notYet = (why: string) =>
    new CommandError(`${why}, and --dry-run changes nothing. Prepare it first: vector-store migrate`);
  if (opened === "absent") throw notYet(`There is no database in ${config.dataDir} yet`);
  try {
    const { url } = config.database;
    const schema = url === null ? null : parseDatabaseUrl({ ...config.database, url }).schema;
    const { pending } = await opened.look(async (tx) =>
      migrationFacts(tx, await locateTables(tx, config.database, schema)),
    );
    if (pending.length > 0) throw notYet(`The database is not up to date (pending: ${pending.join(", ")})`);
  } finally {
    await opened.close();
  }
}

/** Runs the work of a command. @throws CommandError in place of an ApiError */
export async function tellingFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError) throw new CommandError(printable(error.message));
    throw error;
  }
}

/** Aborts at the first SIGINT or SIGTERM, so that the command can end cleanly; the second kills the process. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => {
    controller.abort();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
