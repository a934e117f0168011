import type { Command } from "commander";
import { loadConfig } from "../process/config.js";
import { StartupError } from "../words/errors.js";
import { connect, readUrl, type Server, type ServerOptions, withServerOptions } from "./connection.js";
import type { Address } from "./failures.js";
import { CommandError, type Io } from "./io.js";
import { listStores, requireId, requireStore } from "./stores.js";
import { quoted } from "./yaml.js";

const help = `
Checks that the stores exist and prints LiteLLM's vector_store_registry with an entry for each. Add it to the proxy's
config.yaml, set the variable it names on the proxy, and restart the proxy. The file can have only one
vector_store_registry, so name all stores in one call.

The entry needs the address at which the proxy reaches this server: --api-base, else --url, else the setting API_URL,
else the address that this command used.

--identity prints what lets LiteLLM say who asks, so that each of its users sees only what is theirs; on its own, or
after the registry. Without it, all of LiteLLM's users act with the one key of the entry.

Examples:
  $ vector-store litellm-config vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c --api-base http://vector-store:8000 >> config.yaml
  $ vector-store litellm-config $FAQ $MANUALS
  $ vector-store litellm-config --all > vector_stores.yaml       # for "include:" in config.yaml
  $ vector-store litellm-config --identity`;

interface ConfigOptions extends ServerOptions {
  all?: true;
  identity?: true;
  apiBase?: string;
  name?: string;
}

export function litellmConfigCommand(program: Command, io: Io): void {
  withServerOptions(
    program.command("litellm-config").description("print LiteLLM's vector_store_registry with these stores (YAML)"),
  )
    .argument("[id...]", "the stores' ids (vs_…)")
    .option("--all", "all vector stores")
    .option("--identity", "what LiteLLM needs to say who asks")
    .option("--api-base <url>", "this server as the proxy reaches it")
    .option("--name <name>", "the name of a single store in the registry (default: the store's name)")
    .addHelpText("after", help)
    .action(async (ids: string[], options: ConfigOptions) => {
      const { all, name, identity = false } = options;
      if (all && ids.length > 0) throw new CommandError("Give either ids or --all.");
      if (!all && !identity && ids.length === 0)
        throw new CommandError("Which vector stores? Give their ids, or --all. See: vector-store stores list");
      if (name !== undefined && (all || ids.length > 1)) throw new CommandError("--name is for a single store.");
      const apiBase = options.apiBase === undefined ? null : readUrl(options.apiBase, "--api-base");
      const server = connect(options, io);
      const base = apiBase ?? baseFor(server, io);
      if (all || ids.length > 0) io.stdout.write(registry(await entriesOf(server, ids, options), base));
      if (identity) io.stdout.write(identityConfig(base));
    });
}

/** @throws CommandError if a store is missing, or there are none */
async function entriesOf(
  server: Server,
  ids: readonly string[],
  { all, name }: ConfigOptions,
): Promise<{ id: string; name: string }[]> {
  const stores = all ? (await listStores(server, Infinity)).data : await retrieveStores(server, ids);
  if (stores.length === 0) throw new CommandError("There are no vector stores yet.");
  return stores.map((store) => ({ id: store.id, name: name ?? (store.name || store.id) }));
}

async function retrieveStores(server: Server, ids: readonly string[]): Promise<{ id: string; name: string }[]> {
  const stores = [];
  for (const id of new Set(ids)) {
    const store = await server.ask((client) => client.vectorStores.retrieve(requireId(id)));
    requireStore(store, server);
    stores.push(store);
  }
  return stores;
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

/** One registry as LiteLLM reads it, with comments on what else the proxy needs. */
export function registry(stores: readonly { id: string; name: string }[], apiBase: string): string {
  const base = quoted(apiBase);
  const local = /^https?:\/\/(127\.|localhost\b|\[::1\])/.test(apiBase);
  return [
    "# LiteLLM proxy, config.yaml. If the file already has a vector_store_registry, add only the list items.",
    "# On the proxy, set the environment variable PG_VECTOR_API_KEY to a key that may only search, because every key of",
    "# the proxy's users acts with it: with SERVER_API_KEY, each of them could change and delete these vector stores.",
    "#   vector-store keys create 'litellm registry' --scope search",
    "# With this in config.yaml, the proxy also refuses users' keys that were not granted a vector store:",
    "#   general_settings: {vector_store_deny_by_default: true}",
    "# Or let LiteLLM say who asks, so that its users see only what is theirs: vector-store litellm-config --identity",
    "vector_store_registry:",
    "  # api_base is without /v1: LiteLLM appends /v1/vector_stores.",
    ...(local ? ["  # This address works only where proxy and server share one machine; see --api-base."] : []),
    ...stores.flatMap(({ id, name }) => [
      `  - vector_store_name: ${quoted(name)}`,
      "    litellm_params:",
      `      vector_store_id: ${quoted(id)}`,
      `      custom_llm_provider: "pg_vector"`,
      `      api_base: ${base}`,
      "      api_key: os.environ/PG_VECTOR_API_KEY",
    ]),
    "# Only if all users of the proxy may create and change vector stores (POST /v1/vector_stores with",
    "# custom_llm_provider pg_vector), set there a key of the scope write, and:",
    `#   PG_VECTOR_API_BASE=${base}`,
    "",
  ].join("\n");
}

/** What LiteLLM needs to sign who asks: its callback, as YAML, and in comments what else. */
const identityConfig = (apiBase: string): string =>
  [
    "# LiteLLM proxy, config.yaml: LiteLLM signs who asks, and each of its users sees only what is theirs.",
    "# 1. Copy chart/files/vector_store_identity.py of this program beside the proxy's config.yaml.",
    "# 2. Set the same secret here and on the proxy: LITELLM_IDENTITY_SECRET (openssl rand -hex 32 makes one).",
    `# 3. On the proxy, also set VECTOR_STORE_API_BASE=${quoted(apiBase)}`,
    "# 4. Make a key that works only beside such a token, and set it on the proxy as PG_VECTOR_API_KEY:",
    "#      vector-store keys create litellm --scope write --identity-required",
    "# A file may have only one litellm_settings; add the callback to its list if there is one.",
    "litellm_settings:",
    '  callbacks: ["vector_store_identity.instance"]',
    "",
  ].join("\n");
