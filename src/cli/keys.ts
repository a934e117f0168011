import { type Command, Option } from "commander";
import type { KeyDeps } from "../core/access/serverKeys.js";
import { loadConfig } from "../process/config.js";
import type { ServerKey } from "../words/accessKey.js";
import { type KeyScope, keyScopes } from "../words/caller.js";
import { CommandError, type Io } from "./io.js";
import { wholeNumber } from "./options.js";
import { type Column, readableTime, renderTable } from "./table.js";
import { openTarget, tellingFailures } from "./transfer/open.js";

const help = `
The commands open the database that the settings name, so they need no key; stop the server of an embedded database
first, or use its routes under /v1/admin/keys. Running servers notice a change within 5 seconds.

  search  only search: for LiteLLM's registry, through which every virtual key acts with this one
  read    also read, ask and list models
  write   everything except the admin routes, like SERVER_API_KEY
  admin   everything`;

const createHelp = `
Prints only the key, which nobody can see again, for use in scripts. With --identity-required the key works only beside
LiteLLM's signed word who asks, and then acts as that user; see: vector-store litellm-config --identity

Examples:
  $ vector-store keys create "litellm registry" --scope search
  $ vector-store keys create "litellm, per user" --scope write --identity-required
  $ KEY=$(vector-store keys create crawler --scope write --store vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c)
  $ vector-store keys create "for a week" --scope read --expires-after-days 7`;

const rotateHelp = `
Prints only the new key. The one before works on for the overlap, so that it can be replaced without an interruption.

Example:
  $ vector-store keys rotate key_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c --overlap-seconds 86400`;

const columns: Column<ServerKey>[] = [
  { title: "ID", value: (key) => key.id },
  { title: "NAME", value: (key) => key.name, flexible: true },
  { title: "ENDING", value: (key) => key.ending },
  { title: "SCOPE", value: (key) => key.scope },
  { title: "ACTS AS", value: (key) => (key.identityRequired ? "the user" : "server") },
  { title: "STORES", value: (key) => (key.stores === null ? "all" : String(key.stores.length)), align: "right" },
  { title: "LAST USED (UTC)", value: (key, plain) => time(key.lastUsedAt, plain) },
  { title: "EXPIRES", value: (key, plain) => time(key.expiresAt, plain) },
];
const time = (millis: number | null, plain: boolean) =>
  millis === null ? "-" : readableTime(Math.floor(millis / 1000), plain);

const dayMs = 86_400_000;
const actor = { name: "command line", address: null, requestId: null };

interface CreateOptions {
  scope: KeyScope;
  store?: string[];
  identityRequired?: true;
  expiresAfterDays?: number;
}

export function keysCommand(program: Command, io: Io): void {
  const keys = program
    .command("keys")
    .description("make, list, rotate and revoke keys of the service")
    .addHelpText("after", help);

  keys
    .command("create")
    .description("make a key and print it, once")
    .argument("<name>", "what it is for; names are unique")
    .addOption(new Option("--scope <scope>", "what it may do").choices(keyScopes).makeOptionMandatory())
    .option("--store <id...>", "only these vector stores (default: all)")
    .option("--identity-required", "act as the user whom LiteLLM names in its signed token, and as nobody else")
    .option("--expires-after-days <n>", "end it after this many days", wholeNumber)
    .addHelpText("after", createHelp)
    .action(async (name: string, options: CreateOptions) => {
      const problem = problemOf(name, options);
      if (problem !== null) throw new CommandError(problem);
      const { scope, store: stores = null, identityRequired = false, expiresAfterDays: days } = options;
      const { key } = await withKeys(io, (serverKeys, deps) => {
        const expiresAt = days === undefined ? null : deps.now() + days * dayMs;
        return serverKeys.create(deps, actor, { name, scope, stores, identityRequired, expiresAt });
      });
      io.stdout.write(`${key}\n`);
      if (identityRequired && loadConfig(io.environment()).access.identitySecrets.length === 0) {
        io.stderr.write("LITELLM_IDENTITY_SECRET is not set here; a server without it refuses this key.\n");
      }
    });

  keys
    .command("list")
    .description("list the keys; they themselves are not stored")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: true }) => {
      const found = await withKeys(io, (serverKeys, deps) => serverKeys.list(deps));
      if (json) io.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
      else if (found.length > 0) io.stdout.write(renderTable(columns, found, io.stdout));
      else io.stderr.write('No keys yet. Make one with: vector-store keys create "litellm registry" --scope search\n');
    });

  keys
    .command("rotate")
    .description("replace a key and print the new one, once")
    .argument("<id>", "the key's id (key_…)")
    .option("--overlap-seconds <n>", "how long the one before still works", wholeNumber, 3600)
    .addHelpText("after", rotateHelp)
    .action(async (id: string, { overlapSeconds }: { overlapSeconds: number }) => {
      if (overlapSeconds > 2_592_000) throw new CommandError("--overlap-seconds must be at most 2592000 (30 days).");
      const { key } = await withKeys(io, (serverKeys, deps) =>
        serverKeys.rotate(deps, actor, id, overlapSeconds * 1000),
      );
      io.stdout.write(`${key}\n`);
    });

  keys
    .command("revoke")
    .description("end a key")
    .argument("<id>", "the key's id (key_…)")
    .action(async (id: string) => {
      await withKeys(io, (serverKeys, deps) => serverKeys.revoke(deps, actor, id));
      io.stderr.write("Running servers refuse it within 5 seconds.\n");
    });
}

function problemOf(name: string, options: CreateOptions): string | null {
  const { scope, store, identityRequired = false, expiresAfterDays = 0 } = options;
  if (!/^[\w .:@/-]{1,100}$/.test(name)) {
    return "The key's name must have 1 to 100 letters, digits, spaces or one of _ . : @ / -";
  }
  if (scope === "admin" && store !== undefined) {
    return "A key with the scope admin cannot be limited to some vector stores.";
  }
  if (identityRequired && store !== undefined) {
    return "--identity-required is not for keys that are limited to some vector stores: they see what the user may see.";
  }
  if (identityRequired && scope === "admin") {
    return "--identity-required is not for the scope admin: LiteLLM asks for no admin route.";
  }
  return expiresAfterDays > 3650 ? "--expires-after-days must be at most 3650." : null;
}

async function withKeys<T>(
  io: Io,
  work: (keys: typeof import("../core/access/serverKeys.js"), deps: KeyDeps) => Promise<T>,
) {
  const serverKeys = await import("../core/access/serverKeys.js");
  const { deps, close } = await openTarget(io, { lookOnly: false });
  try {
    return await tellingFailures(() => work(serverKeys, deps));
  } finally {
    await close();
  }
}
