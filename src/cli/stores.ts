import { type Command, Option } from "commander";
import type { OpenAI } from "openai";
import { exactJson } from "../words/exactJson.js";
import { connect, type Server, type ServerOptions, withServerOptions } from "./connection.js";
import { notOurs } from "./failures.js";
import { indexState, type Store } from "./indexing.js";
import { CommandError, type Io } from "./io.js";
import { pair, recalls, searchModes, wholeNumber } from "./options.js";
import { type Column, readableTime, renderTable } from "./table.js";
import { printable, readableBytes } from "../words/readable.js";

const columns: Column<Store>[] = [
  { title: "ID", value: (store) => store.id },
  { title: "NAME", value: (store) => store.name, flexible: true },
  { title: "STATUS", value: (store) => store.status },
  { title: "INDEX", value: indexState },
  { title: "ITEMS", value: (store) => String(store.file_counts.total), align: "right" },
  {
    title: "SIZE",
    value: (store, plain) => (plain ? String(store.usage_bytes) : readableBytes(store.usage_bytes)),
    align: "right",
  },
  { title: "CREATED (UTC)", value: (store, plain) => readableTime(store.created_at, plain) },
  {
    title: "EXPIRES",
    value: (store, plain) => (store.expires_at == null ? "-" : readableTime(store.expires_at, plain)),
  },
];

const listHelp = `
INDEX is ready, building or waiting; none means that the store has so few rows that comparing them one by one is as
fast. ITEMS counts files, and embeddings without a file. In a pipe, columns are separated by tabs, sizes are in bytes
and times in ISO 8601.

Examples:
  $ vector-store stores list --limit 100
  $ vector-store stores list --json | jq -r '.data[].id'`;

const createHelp = `
Prints only the new store's id, for use in scripts. A store keeps its model and dimensions; the default is the
server's EMBEDDING__MODEL. Mode, recall and language are the defaults of its searches. Keyword and hybrid searches
compare words by --language:
"simple" (the default), or a text search configuration of the database such as "english".

Examples:
  $ ID=$(vector-store stores create "Support FAQ" --metadata team=support tier=2)
  $ vector-store stores create scratch --expires-after-days 7
  $ vector-store stores create papers --embedding-model text-embedding-3-large --embedding-dimensions 1024
  $ vector-store stores create manuals --search-mode hybrid --language english --recall exact`;

const deleteHelp = `
Deletes the store with everything in it. Asks first on a terminal; elsewhere, in scripts and pipes, it needs --yes.

Examples:
  $ vector-store stores delete vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c
  $ vector-store stores delete $ID --yes`;

/** The options behind the API's fields, for its messages. */
const createFields = {
  name: "<name>",
  metadata: "--metadata",
  "expires_after.days": "--expires-after-days",
  embedding_model: "--embedding-model",
  embedding_dimensions: "--embedding-dimensions",
  search_mode: "--search-mode",
  recall: "--recall",
  language: "--language",
};

/** The largest page of the API. */
const pageSize = 100;

export function storesCommand(program: Command, io: Io): void {
  const stores = program.command("stores").description("list, create and delete vector stores of a running server");

  withServerOptions(stores.command("list").description("list vector stores, the newest first"))
    .option("--limit <n>", "how many at most", wholeNumber, 20)
    .option("--json", "print OpenAI's list object")
    .addHelpText("after", listHelp)
    .action(async (options: ServerOptions & { limit: number; json?: true }) => {
      const { data, hasMore } = await listStores(connect(options, io), options.limit);
      if (options.json) {
        const answer = {
          object: "list",
          data,
          first_id: data[0]?.id ?? "",
          last_id: data.at(-1)?.id ?? "",
          has_more: hasMore,
        };
        io.stdout.write(`${exactJson(answer, 2)}\n`);
        return;
      }
      if (data.length > 0) io.stdout.write(renderTable(columns, data, io.stdout));
      else io.stderr.write('No vector stores yet. Create one with: vector-store stores create "My documents"\n');
      if (hasMore) io.stderr.write(`There are more; --limit ${options.limit * 5} shows the next ones too.\n`);
    });

  withServerOptions(stores.command("create").description("create a vector store and print its id"))
    .argument("<name>", "the store's name")
    .option("--metadata <key=value...>", "metadata of the store, as strings; give several or repeat", pair)
    .option("--expires-after-days <n>", "expire after this many days without use (1 to 365)", wholeNumber)
    .option("--embedding-model <name>", "the model that makes its embeddings (default: the server's)")
    .option("--embedding-dimensions <n>", "numbers per vector (default: the model's)", wholeNumber)
    .addOption(new Option("--search-mode <mode>", "how to search it").choices(searchModes))
    .addOption(new Option("--recall <recall>", "how thorough searches are").choices(recalls))
    .option("--language <name>", "how words are compared in keyword and hybrid search")
    .option("--json", "print the store as OpenAI's object")
    .addHelpText("after", createHelp)
    .action(async (name: string, options: CreateOptions) => {
      if (name.trim() === "") throw new CommandError("The store's name must not be empty.");
      const server = connect(options, io);
      const create = (client: OpenAI) =>
        client.vectorStores.create({
          name,
          ...(options.metadata && { metadata: options.metadata }),
          ...(options.expiresAfterDays !== undefined && {
            expires_after: { anchor: "last_active_at", days: options.expiresAfterDays },
          }),
          // Not OpenAI's fields, so unknown to the SDK's types.
          ...(options.embeddingModel !== undefined && { embedding_model: options.embeddingModel }),
          ...(options.embeddingDimensions !== undefined && { embedding_dimensions: options.embeddingDimensions }),
          ...(options.searchMode !== undefined && { search_mode: options.searchMode }),
          ...(options.recall !== undefined && { recall: options.recall }),
          ...(options.language !== undefined && { language: options.language }),
        });
      const store = await server.ask(create, createFields);
      requireStore(store, server);
      io.stdout.write(options.json ? `${exactJson(store, 2)}\n` : `${store.id}\n`);
    });

  withServerOptions(stores.command("delete").description("delete a vector store and everything in it"))
    .argument("<id>", "the store's id (vs_…)")
    .option("-y, --yes", "delete without asking")
    .addHelpText("after", deleteHelp)
    .action(async (id: string, options: ServerOptions & { yes?: true }) => {
      const server = connect(options, io);
      if (!options.yes) await confirmDeletion(server, requireId(id), io);
      const answer = await server.ask((client) => client.vectorStores.delete(requireId(id)));
      // Another program may answer anything with status 200.
      if ((answer as Partial<typeof answer> | null)?.deleted !== true)
        throw notOurs(server.url, "without saying that the store was deleted");
      io.stdout.write(`Deleted ${id}\n`);
    });
}

/** @throws CommandError if the user does not agree, or cannot be asked */
async function confirmDeletion(server: Server, id: string, io: Io): Promise<void> {
  if (io.confirm === undefined) {
    throw new CommandError(
      "Deleting a vector store needs --yes where nobody can be asked (standard input is no terminal).",
    );
  }
  const store = await server.ask((client) => client.vectorStores.retrieve(id));
  requireStore(store, server);
  const items = `${store.file_counts.total} ${store.file_counts.total === 1 ? "item" : "items"}`;
  if (!(await io.confirm(`Delete the vector store "${printable(store.name)}" (${store.id}) with ${items}?`)))
    throw new CommandError("Nothing was deleted.");
}

interface CreateOptions extends ServerOptions {
  metadata?: Record<string, string>;
  expiresAfterDays?: number;
  embeddingModel?: string;
  embeddingDimensions?: number;
  searchMode?: string;
  recall?: string;
  language?: string;
  json?: true;
}

/** The newest stores, at most `limit`, page by page. */
export async function listStores(server: Server, limit: number): Promise<{ data: Store[]; hasMore: boolean }> {
  const data: Store[] = [];
  let page = await server.ask((client) => client.vectorStores.list({ limit: Math.min(limit, pageSize) }));
  for (;;) {
    if (!Array.isArray(page.data)) throw notOurs(server.url, "without a list of vector stores");
    data.push(...page.data);
    if (data.length >= limit || !page.hasNextPage()) break;
    const current = page;
    page = await server.ask(() => current.getNextPage());
  }
  return { data: data.slice(0, limit), hasMore: data.length > limit || page.hasNextPage() };
}

/** An id that is safe as a path segment. @throws CommandError for one that would name another path */
export function requireId(id: string): string {
  if (id.trim() === "" || /^\.{1,2}$/.test(id))
    throw new CommandError("The vector store's id is missing. See: vector-store stores list");
  return id;
}

/** @throws CommandError if an answer with status 200 is not a vector store */
export function requireStore(answer: unknown, server: { url: string }): void {
  const store = typeof answer === "object" && answer !== null && "object" in answer ? answer.object : null;
  if (store !== "vector_store") throw notOurs(server.url, "without a vector store");
}
