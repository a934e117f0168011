import { Command, CommanderError } from "commander";
import { StartupError } from "../words/errors.js";
import { version } from "../process/version.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { CommandError, type Io, widthOf } from "./io.js";
import { litellmConfigCommand } from "./litellmConfig.js";
import { exportCommand } from "./export.js";
import { importCommand } from "./import.js";
import { keysCommand } from "./keys.js";
import { migrateCommand } from "./migrate.js";
import { reindexCommand } from "./reindex.js";
import { searchCommand } from "./search.js";
import { serveCommand, workerCommand } from "./serve.js";
import { storesCommand } from "./stores.js";
import { uploadCommand } from "./upload.js";

const manual = `
First steps, in two terminals:
  $ vector-store serve
  $ ID=$(vector-store stores create FAQ)
  $ vector-store upload $ID ./documents
  $ vector-store search $ID how do I reset my password
  $ vector-store litellm-config $ID          # what LiteLLM needs to use it
  $ vector-store doctor                      # when something does not work

Import and export:
  $ vector-store import --from postgresql://user:password@old-host/litellm --dry-run
  $ vector-store export --all --output backup/

The server indexes a store as it grows; "stores list" shows the state of the index. To check and rebuild indexes:
  $ vector-store reindex --all --wait

What each command connects to:
  serve, worker,   the database: PostgreSQL (DATABASE_URL), or the embedded one in DATA_DIR, which only one process can
  migrate, import, open.
  export
  doctor           the database and the LiteLLM proxy; changes nothing.
  all others       a running server, over HTTP: --url, else VECTOR_STORE_URL, else http://127.0.0.1:PORT;
                   with --key, else VECTOR_STORE_KEY, else SERVER_API_KEY, else LITELLM_MASTER_KEY, else the key in
                   DATA_DIR/server-key, which the server's first start made.

Settings come from the environment, or from the file .env in the working directory. "vector-store serve --help" lists
the most important ones, .env.example all.

Output is a table on a terminal, and tab-separated lines without headings in a pipe; --json prints the API's answer.
Exit code 0: done; 1: failed, with one sentence on standard error that says what to do.`;

/** The command line on the given streams and environment. It throws errors and exits, which `runCli` handles. */
function buildProgram(io: Io): Command {
  const program = new Command("vector-store")
    .description("Vector stores for LiteLLM and every OpenAI SDK, on PostgreSQL + pgvector.")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", manual)
    .showHelpAfterError('(see "vector-store --help", or --help after a command)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => widthOf(io.stdout, 120),
      getErrHelpWidth: () => widthOf(io.stderr, 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => {
        write(text.replace(/^error: /, "vector-store: "));
      },
    });
  serveCommand(program);
  workerCommand(program);
  keysCommand(program, io);
  migrateCommand(program, io);
  storesCommand(program, io);
  uploadCommand(program, io);
  searchCommand(program, io);
  evalCommand(program, io);
  reindexCommand(program, io);
  importCommand(program, io);
  exportCommand(program, io);
  litellmConfigCommand(program, io);
  doctorCommand(program, io);
  return program;
}

/** Runs a command line, without node and the script. `serve` returns once it listens. @returns the exit code */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    await buildProgram(io).parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has already printed its message, or the help.
    if (error instanceof CommanderError) return error.exitCode;
    io.stderr.write(`vector-store: ${sentenceOf(error, io)}\n`);
    return 1;
  }
}

/** Foreseen failures are sentences. Others show only their message, and with LOG_LEVEL=debug their stack. */
function sentenceOf(error: unknown, io: Io): string {
  if (error instanceof CommandError || error instanceof StartupError) return error.message;
  if (!(error instanceof Error)) return String(error);
  return wantsStacks(io)
    ? (error.stack ?? error.message)
    : `unexpected failure: ${error.message} (LOG_LEVEL=debug shows where it happened)`;
}

function wantsStacks(io: Io): boolean {
  try {
    return Object.entries(io.environment()).some(
      ([name, value]) => name.toUpperCase() === "LOG_LEVEL" && /^(debug|trace)$/.test(value ?? ""),
    );
  } catch {
    return false;
  }
}
