import type { Command } from "commander";
import { type Config, loadConfig } from "../process/config.js";
import { StartupError } from "../words/errors.js";
import { doubtsAbout } from "../process/settingDoubts.js";
import { readFirstKey } from "./connection.js";
import { type Finding, type Findings, findingsTo, wordsOf } from "../core/status/doctor/findings.js";
import { checkIngestion, checkKey, checkSettings } from "../core/status/doctor/settings.js";
import type { Log } from "../process/log.js";
import { CommandError, type Io } from "./io.js";

const help = `
Checks settings, key, database, pgvector, migrations, tables, dimensions, models in use, contents, indexes, proxy and
model, and makes one test embedding (for which a provider may charge a fraction of a cent). Changes nothing. Each line
is ok, warn or FAIL; the line below says what to do. If a running server has the embedded database open, the doctor
asks that server.

Exit code 1 if a check is FAIL. --json prints {"ok": …, "checks": [{"check", "status", "message", "todo"}]}.

Examples:
  $ vector-store doctor
  $ vector-store doctor --json | jq '.checks[] | select(.status != "ok")'`;

interface DoctorOptions {
  url?: string;
  json?: true;
}

export function doctorCommand(program: Command, io: Io): void {
  program
    .command("doctor")
    .description("check settings, database, proxy and model, and say what to do")
    .option("--url <url>", "the server to ask if it has the embedded database open (default: as for other commands)")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", help)
    .action(async (options: DoctorOptions) => {
      const findings: Finding[] = [];
      await examine(options, io, (finding) => {
        findings.push(finding);
        if (!options.json) io.stdout.write(line(finding));
      });
      const failed = findings.filter((each) => each.status === "fail").map((each) => each.check);
      if (options.json) io.stdout.write(`${JSON.stringify({ ok: failed.length === 0, checks: findings }, null, 2)}\n`);
      if (failed.length > 0) {
        throw new CommandError(`${failed.length} of ${findings.length} checks failed: ${failed.join(", ")}.`);
      }
    });
}

const words = { ok: "ok", warn: "warn", fail: "FAIL" };

function line({ check, status, message, todo }: Finding): string {
  const indent = " ".repeat(18);
  const text = message.replaceAll("\n", `\n${indent}`);
  return `${words[status].padEnd(4)}  ${check.padEnd(10)}  ${text}\n${todo === undefined ? "" : `${indent}→ ${todo}\n`}`;
}

async function examine(options: DoctorOptions, io: Io, found: (finding: Finding) => void): Promise<void> {
  const findings = findingsTo(found);
  let config: Config;
  const environment = io.environment();
  try {
    config = loadConfig(environment);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    findings.fail("settings", error.message, "Correct them in the environment or in .env; the other checks need them.");
    return;
  }
  checkSettings(doubtsAbout(environment, config), findings);
  checkIngestion(config, findings);
  checkKey(config, readFirstKey(config) !== null, findings);
  const { createLog } = await import("../process/log.js");
  const log = createLog("silent");
  const fitting = await checkStorage(config, options, io, { findings, log });
  const { createProxyProbe } = await import("../litellm/proxyProbe.js");
  const { checkProxy } = await import("../core/status/doctor/proxy.js");
  await checkProxy({ config: fitting, findings, proxy: createProxyProbe(fitting.embedding, log), embed: true });
}

interface Context {
  findings: Findings;
  log: Log;
}

/** @returns the settings as the database makes a start use them */
async function checkStorage(config: Config, options: DoctorOptions, io: Io, context: Context): Promise<Config> {
  const { openToLook } = await import("../db/diagnose/probe.js");
  const { checkDatabase, reportUnopened } = await import("../core/status/doctor/database.js");
  let opened: Awaited<ReturnType<typeof openToLook>>;
  try {
    opened = await openToLook(config, context.log);
  } catch (error) {
    reportUnopened(error, config, context.findings);
    return config;
  }
  if (opened === "in use") {
    const { checkThroughServer } = await import("./doctor/runningServer.js");
    await checkThroughServer(config, options.url, io, context.findings);
  } else if (opened === "absent") {
    context.findings.ok(
      "database",
      `none in ${config.dataDir} yet: the first start creates the embedded one (set DATABASE_URL to use PostgreSQL)`,
    );
  } else {
    try {
      return await checkDatabase(opened, config, context.findings);
    } catch (error) {
      // The database went away, or the role may not read its tables.
      context.findings.fail(
        "database",
        `could not be checked completely: ${wordsOf(error)}`,
        "The role needs SELECT on the tables, and to serve also INSERT, UPDATE and DELETE. Ideally it owns them.",
      );
    } finally {
      await opened.close();
    }
  }
  return config;
}
