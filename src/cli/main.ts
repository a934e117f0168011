#!/usr/bin/env node
import { readEnvironment } from "../process/config.js";
import { confirm } from "./confirm.js";
import { runCli } from "./program.js";

// `vector-store stores list | head` closes the pipe early, which is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// Not process.exit(): `serve` keeps running, and pending output must reach its pipe.
process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  ...(process.stdin.isTTY && process.stderr.isTTY
    ? { confirm: (question: string) => confirm(question, process.stdin, process.stderr) }
    : {}),
  environment: readEnvironment,
});
