import type { Command } from "commander";
import { loadConfig } from "../process/config.js";
import { StartupError } from "../words/errors.js";
import { connect, readUrl, type ServerOptions, withServerOptions } from "./connection.js";
import type { Address } from "./failures.js";
import type { Io } from "./io.js";
import { requireId, requireStore } from "./stores.js";
import { quoted } from "./yaml.js";

const help = `
Checks that the store exists and prints its entry for LiteLLM's vector_store_registry. Add the entry to the proxy's
config.yaml, set the variable it names on the proxy, and restart the proxy.

The entry needs the address at which the proxy reaches this server: --api-base, else --url, else the setting API_URL,
else the address that this command used.

Example:
  $ vector-store litellm-config vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c --api-base http://vector-store:8000 >> config.yaml`;

export function litellmConfigCommand(program: Command, io: Io): void {
  withServerOptions(
    program.command("litellm-config").description("print the LiteLLM vector_store_registry entry of a store (YAML)"),
  )
    .argument("<store-id>", "the store's id (vs_…)")
    .option("--api-base <url>", "this server as the proxy reaches it")
    .option("--name <name>", "the name in the registry (default: the store's name)")
    .addHelpText("after", help)
    .action(async (id: string, options: ServerOptions & { apiBase?: string; name?: string }) => {
      const apiBase = options.apiBase === undefined ? null : readUrl(options.apiBase, "--api-base");
      const server = connect(options, io);
      const store = await server.ask((client) => client.vectorStores.retrieve(requireId(id)));
      requireStore(store, server);
      io.stdout.write(
        registryEntry({
          id: store.id,
          name: options.name ?? (store.name || store.id),
          apiBase: apiBase ?? baseFor(server, io),
        }),
      );
    });
}

/** The default of --api-base. --url wins over API_URL, which may belong to another server. */
function baseFor(address: Address, io: Io): string {
  if (address.from === "--url") return address.url;
  try {
    return loadConfig(io.environment()).apiUrl ?? address.url;
  } catch (error) {
    // The store was found without these settings, so unusable ones are no reason to fail.
    if (error instanceof StartupError) return address.url;
    throw error;
  }
}

/** The entry as LiteLLM reads it, with comments on what else the proxy needs. */
export function registryEntry(entry: { id: string; name: string; apiBase: string }): string {
  const base = quoted(entry.apiBase);
  const local = /^https?:\/\/(127\.|localhost\b|\[::1\])/.test(entry.apiBase);
  return [
    "# LiteLLM proxy, config.yaml. If the file already has a vector_store_registry, add only the list item.",
    "# On the proxy, set the environment variable PG_VECTOR_API_KEY to this server's key (SERVER_API_KEY).",
    "vector_store_registry:",
    `  - vector_store_name: ${quoted(entry.name)}`,
    "    litellm_params:",
    `      vector_store_id: ${quoted(entry.id)}`,
    `      custom_llm_provider: "pg_vector"`,
    "      # Without /v1: LiteLLM appends /v1/vector_stores.",
    ...(local ? ["      # This address works only where proxy and server share one machine; see --api-base."] : []),
    `      api_base: ${base}`,
    "      api_key: os.environ/PG_VECTOR_API_KEY",
    "# To create stores through the proxy as well (POST /v1/vector_stores with custom_llm_provider pg_vector), also set there:",
    `#   PG_VECTOR_API_BASE=${base}`,
    "#   PG_VECTOR_API_KEY=<this server's key>",
    "",
  ].join("\n");
}
