import type { Command } from "commander";
import { OpenAI } from "openai";
import { connect, type Server, type ServerOptions, withServerOptions } from "./connection.js";
import { indexState, readIndexing, slowestBuild, type Store } from "./indexing.js";
import { CommandError, type Io } from "./io.js";
import { progressLine } from "./progress.js";
import { listStores, requireId, requireStore } from "./stores.js";
import { renderTable } from "./table.js";

const help = `
The server checks what it has derived from the rows of a store against the rows themselves (adds what is missing, as of rows that
another program has written, and removes what is left over), and builds the store's index anew with its settings HNSW_M and
HNSW_EF_CONSTRUCTION. A store below INDEX_MIN_ROWS gets an index by this. Searches and writes go on meanwhile.

Without --wait the command only asks for it. The states: waiting and building, then ready; or none for a store that can have no index
(its vectors have too many dimensions) and is searched exactly.

Examples:
  $ vector-store reindex vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c --wait
  $ vector-store reindex --all --wait          # after another program has written to the tables
  $ vector-store reindex --all --json | jq -r '.data[] | .id + " " + .index.state'`;

interface ReindexOptions extends ServerOptions {
  all?: true;
  wait?: true;
  json?: true;
}

export function reindexCommand(program: Command, io: Io): void {
  withServerOptions(program.command("reindex").description("check the indexes of vector stores and build them anew"))
    .argument("[id...]", "the stores' ids (vs_…)")
    .option("--all", "all vector stores")
    .option("--wait", "wait until it is done, as long as that takes, and show how far it is")
    .option("--json", "print the stores as the API answers them, in OpenAI's list object")
    .addHelpText("after", help)
    .action(async (named: string[], options: ReindexOptions) => {
      const all = options.all === true;
      if (all && named.length > 0) throw new CommandError("Give either ids or --all.");
      if (!all && named.length === 0)
        throw new CommandError("Which vector stores? Give their ids, or --all. See: vector-store stores list");
      const server = connect(options, io);
      const ids = all ? (await listStores(server, Infinity)).data.map((store) => store.id) : named.map(requireId);
      let stores: Store[] = [];
      for (const id of new Set(ids)) stores.push(...(await askFor(server, "post", id, all)));
      if (options.wait) stores = await waitFor(server, stores, all, io);
      if (options.json) io.stdout.write(`${JSON.stringify({ object: "list", data: stores }, null, 2)}\n`);
      else if (stores.length > 0) io.stdout.write(renderTable(columns, stores, io.stdout));
      else io.stderr.write("There are no vector stores.\n");
    });
}

const columns = [
  { title: "ID", value: (store: Store) => store.id },
  { title: "NAME", value: (store: Store) => store.name, flexible: true },
  { title: "INDEX", value: indexState },
];

/**
 * Has a store reindexed (post) or looks at it (get).
 * @param mayBeGone a store of a list may be deleted before its turn comes, which is no failure: then there is no store.
 */
async function askFor(server: Server, method: "get" | "post", id: string, mayBeGone: boolean): Promise<Store[]> {
  const path = `/vector_stores/${encodeURIComponent(id)}${method === "post" ? "/reindex" : ""}`;
  const store = await server.ask(async (client) => {
    try {
      return await client[method]<Store>(path);
    } catch (error) {
      if (mayBeGone && error instanceof OpenAI.NotFoundError && error.param === "vector_store_id") return null;
      throw error;
    }
  });
  if (store === null) return [];
  requireStore(store, server);
  return [store];
}

/** Between two looks: soon at first, for small stores, then at leisure. */
const pause = { firstMs: 100, longestMs: 2000 };

const isDone = (store: Store) => !["waiting", "building"].includes(indexState(store));

/** The stores as they are when the last of them is done. */
async function waitFor(server: Server, stores: readonly Store[], mayBeGone: boolean, io: Io): Promise<Store[]> {
  const line = progressLine(io);
  const done: Store[] = [];
  try {
    for (const [i, store] of stores.entries()) {
      let current: Store | undefined = store;
      for (let ms = pause.firstMs; current && !isDone(current); ms = Math.min(ms * 1.5, pause.longestMs)) {
        if (line) line.show(await describe(server, current, `${i + 1} of ${stores.length}`));
        await new Promise((resolve) => setTimeout(resolve, ms));
        [current] = await askFor(server, "get", store.id, mayBeGone);
      }
      if (current) done.push(current);
    }
  } finally {
    line?.clear();
  }
  return done;
}

/** What matters most comes first, since the line is cut to the terminal's width. */
async function describe(server: Server, store: Store, place: string): Promise<string> {
  const { state = "-", indexed, fresh } = store.index ?? {};
  // Only the sight of the progress is lost when this cannot be had.
  const indexing = readIndexing(await server.client.get<unknown>("/health").catch(() => null));
  const build = state === "building" && indexing !== null ? slowestBuild(indexing) : undefined;
  const rows = indexed === undefined || fresh === undefined ? "" : `${indexed} rows indexed, ${fresh} fresh`;
  const first = `${place}: ${store.id} ${state} ${build?.progress ?? ""}`.trimEnd();
  return [first, rows, build?.phase ?? ""].filter((part) => part !== "").join("; ");
}
