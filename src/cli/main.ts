#!/usr/bin/env node
import { readEnvironment } from "../process/config.js";
import { runCli } from "./program.js";

// `vector-store stores list | head` closes the pipe early: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// Not process.exit(): `serve` goes on, and what was written must reach its pipe.
process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  environment: readEnvironment,
});
