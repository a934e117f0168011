import { type QueueState, readQueue } from "../../db/tables/ingestQueue.js";
import { type AttachedCounts, countAttached, countSessions, countUploaded } from "../../db/tables/overview.js";
import { countStores } from "../../db/tables/storeList.js";
import type { Readiness } from "../../litellm/contract.js";
import type { Deps } from "../deps.js";
import { type Health, limitMs, readHealth } from "./health.js";

/** What an administrator looks at first. */
export interface Overview {
  health: Health;
  /** When this process began, in Unix milliseconds. */
  startedAt: number;
  /** Null: there is no proxy. */
  proxy: ({ url: string } & Readiness) | null;
  /** Null: the database did not count them in time. */
  contents: {
    stores: { stores: number; chunks: number; contentBytes: number };
    attached: AttachedCounts;
    uploaded: { files: number; bytes: number };
    queue: QueueState;
    sessions: number;
  } | null;
}

/** Takes at most two seconds: pages ask for it again and again. */
export async function readOverview(deps: Deps): Promise<Overview> {
  const { proxy } = deps;
  const [health, contents, readiness] = await Promise.all([
    readHealth(deps),
    readContents(deps).catch(() => null),
    proxy?.readiness(limitMs) ?? null,
  ]);
  return {
    health,
    startedAt: performance.timeOrigin,
    proxy: proxy === null || readiness === null ? null : { url: proxy.url, ...readiness },
    contents,
  };
}

/** One after the other on one connection, so that an open page takes no more from requests. */
const readContents = ({ db, now }: Deps): Promise<NonNullable<Overview["contents"]>> =>
  db.reading({ statement_timeout: limitMs }, async (tx) => ({
    stores: await countStores(tx),
    attached: await countAttached(tx, now()),
    uploaded: await countUploaded(tx, now()),
    queue: await readQueue(tx),
    sessions: await countSessions(tx, now()),
  }));
