#!/usr/bin/env node
import { Command } from "commander";
import { serve } from "../main.js";
import { version } from "../version.js";
import { StartupError } from "../errors.js";

const program = new Command("vector-store")
  .description("Vector stores for LiteLLM on PostgreSQL + pgvector")
  .version(version);
program.command("serve").description("start the server").action(serve);

program.parseAsync().catch((error: unknown) => {
  const sentence =
    error instanceof StartupError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`vector-store: ${sentence}\n`);
  process.exit(1);
});
