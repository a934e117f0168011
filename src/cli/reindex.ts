import type { Command } from "commander";
import { OpenAI } from "openai";
import { exactJson } from "../words/exactJson.js";
import { connect, type Server, type ServerOptions, withServerOptions } from "./connection.js";
import { indexState, readIndexing, slowestBuild, type Store } from "./indexing.js";
import { CommandError, type Io } from "./io.js";
import { progressLine } from "./progress.js";
import { listStores, requireId, requireStore } from "./stores.js";
import { renderTable } from "./table.js";

const help = `
The server compares its copies of a store's vectors and words with the rows, adds what is missing (for example after
another program has written rows) and removes what is left over. Then it rebuilds the store's index with the settings
HNSW_M and HNSW_EF_CONSTRUCTION, even for a store below INDEX_MIN_ROWS. Searches and writes continue meanwhile.

Without --wait the command returns at once. An index is waiting, building, then ready. The state none means that the
store's vectors have too many dimensions for an index and that it is searched exactly.

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
  withServerOptions(program.command("reindex").description("check and rebuild the indexes of vector stores"))
    .argument("[id...]", "the stores' ids (vs_…)")
    .option("--all", "all vector stores")
    .option("--wait", "wait until it is done, and show the progress")
    .option("--json", "print the stores as OpenAI's list object")
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
      if (options.json) io.stdout.write(`${exactJson({ object: "list", data: stores }, 2)}\n`);
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
 * Reindexes a store (post) or reads it (get).
 * @param mayBeGone whether a store that was deleted meanwhile is not a failure
 * @returns the store; nothing if it is gone
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

/** Pauses between two requests: short at first, for small stores. */
const pause = { firstMs: 100, longestMs: 2000 };

const isDone = (store: Store) => !["waiting", "building"].includes(indexState(store));

/** Waits until all stores are done. @returns them as they are then */
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

/** The progress of one store. The most important part comes first, because the line is cut to the terminal's width. */
async function describe(server: Server, store: Store, place: string): Promise<string> {
  const { state = "-", indexed, fresh } = store.index ?? {};
  // If this fails, only the progress is not shown.
  const indexing = readIndexing(await server.client.get<unknown>("/health").catch(() => null));
  const build = state === "building" && indexing !== null ? slowestBuild(indexing) : undefined;
  const rows = indexed === undefined || fresh === undefined ? "" : `${indexed} rows indexed, ${fresh} fresh`;
  const first = `${place}: ${store.id} ${state} ${build?.progress ?? ""}`.trimEnd();
  return [first, rows, build?.phase ?? ""].filter((part) => part !== "").join("; ");
}
