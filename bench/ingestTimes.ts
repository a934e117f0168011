import type { PostgresPool } from "kysely";
import { Readable } from "node:stream";
import { loadConfig } from "../src/process/config.js";
import * as files from "../src/core/files/files.js";
import { ingestNext } from "../src/core/files/ingest.js";
import { addDocument } from "../src/core/files/documents.js";
import { start } from "../src/db/connection/openDatabase.js";
import { createLitellm } from "../src/litellm/litellm.js";
import { createLog } from "../src/process/log.js";
import { createMetrics } from "../src/process/metrics.js";
import { createService } from "../src/service.js";
import * as stores from "../src/core/stores/stores.js";
import type { Target } from "./database.js";
import type { Document } from "./documents.js";
import { openPool } from "./recording.js";
import { fullServer } from "../src/words/caller.js";

/** Milliseconds of one document's ingestion, which runs sequentially. */
export interface Spent {
  total: number;
  /** Waiting for the reading thread: the format's parser, and chunking. */
  parsing: number;
  embedding: number;
  /** Waiting for statements. */
  database: number;
}

const never = new AbortController().signal;
const thread = new URL("../dist/reading/thread.js", import.meta.url);

/** The pool with a clock around each connection and statement. */
function clockedPool(pool: PostgresPool, timed: <T>(work: () => Promise<T>) => Promise<T>): PostgresPool {
  return {
    connect: async () => {
      const client = await timed(() => pool.connect());
      // Kysely's second overload is for cursors, which are not used here.
      const query = (text: string, values: readonly unknown[] = []) => timed(() => client.query(text, values));
      return {
        query: query as never,
        release: () => {
          client.release();
        },
      };
    },
    end: () => pool.end(),
  };
}

/**
 * Measures where the time of an ingestion goes: the service's own worker in this process, with clocks around the
 * reading thread, the embedder and each statement.
 * @param storeId an empty store
 * @returns times by format
 */
export async function timeIngestion(
  environment: Target["environment"],
  dimensions: number,
  storeId: string,
  documents: readonly Document[],
): Promise<Map<string, Spent>> {
  const config = loadConfig({ ...environment, EMBEDDING__DIMENSIONS: String(dimensions) });
  const log = createLog("silent");
  const metrics = createMetrics();
  let spent: Spent = { total: 0, parsing: 0, embedding: 0, database: 0 };
  const timed = async <T>(part: keyof Spent, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      spent[part] += performance.now() - begun;
    }
  };
  const clocked = clockedPool(await openPool(config), (work) => timed("database", work));
  const kind = environment.DATABASE_URL === undefined ? "pglite" : "postgres";
  const db = await start(clocked, kind, config, log, { schema: null, release: () => Promise.resolve() });
  const litellm = createLitellm(config.embedding, log, metrics);
  const { embedder } = litellm;
  const { deps, close } = createService({
    config,
    db,
    log,
    metrics,
    readingThread: thread,
    litellm: {
      ...litellm,
      embedder: { ...embedder, embed: (...args) => timed("embedding", () => embedder.embed(...args)) },
    },
  });
  const reader = deps.documents;
  deps.documents = {
    ...reader,
    async *read(...args) {
      const chunks = reader.read(...args)[Symbol.asyncIterator]();
      for (;;) {
        const next = await timed("parsing", () => chunks.next());
        if (next.done === true) return;
        yield next.value;
      }
    },
  };
  const caller = fullServer;
  const settings = {
    cutting: { by: "characters", size: 512, overlap: 50 },
    visionModel: null,
    visionPrompt: null,
  } as const;
  const times = new Map<string, Spent>();
  try {
    const store = await stores.use(deps, caller, storeId, "write");
    for (const { format, name, bytes } of documents) {
      const kept = await files.keep(deps, name, Readable.from([bytes]));
      await addDocument(deps, caller, store, kept, { settings, attributes: null, replaces: false }, { ms: 0 });
      spent = { total: 0, parsing: 0, embedding: 0, database: 0 };
      await timed("total", () => ingestNext(deps, "bench", never));
      times.set(format, spent);
    }
    return times;
  } finally {
    await close();
  }
}
