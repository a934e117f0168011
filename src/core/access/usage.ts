import { isRefusal } from "../../db/connection/errors.js";
import type { Database, Db } from "../../db/database.js";
import { type UsageRow, deleteUsageBefore, insertUsage, pageOfUsage, totalUsage } from "../../db/tables/usage.js";
import type { Log } from "../../process/log.js";
import type { Metrics } from "../../process/metrics.js";
import type { Caller } from "../../words/caller.js";
import { newId } from "../../words/ids.js";
import {
  type UsageEvent,
  type UsageGroup,
  type UsagePlace,
  type UsageQuery,
  type UsageSums,
  userOf,
} from "../../words/usage.js";
import { writtenId } from "../stores/writtenId.js";

/** Writes down what was used, some at a time, so that no request waits for it. */
export interface UsageLog {
  record(event: Omit<UsageEvent, "id" | "at">): void;
  /**
   * Writes what was recorded so far. Never throws: what cannot be written is kept for the next time, except an event
   * that the database refuses, which would be refused again.
   */
  flush(): Promise<void>;
}

/** More of a second's events than a process can have. While the database is away, the oldest are dropped. */
const mostKept = 100_000;
const perStatement = 2_000;

interface Parts {
  db: Database;
  log: Log;
  metrics: Metrics;
  now: () => number;
}

export function createUsageLog({ db, log, metrics, now }: Parts): UsageLog {
  let waiting: UsageEvent[] = [];
  let running: Promise<void> = Promise.resolve();

  /** Halves a refused portion until the refused event is alone. @throws what may succeed later */
  const insert = async (portion: readonly UsageEvent[]): Promise<void> => {
    try {
      await insertUsage(db, portion);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [event] = portion;
      if (event !== undefined && portion.length === 1) {
        // At once: if the database goes away now, the rest of the portion is kept without it.
        waiting = waiting.filter((each) => each !== event);
        metrics.usageLost.inc({ reason: "refused" });
        log.error({ err: error, event: shown(event) }, "the database refused a usage event, which is lost");
        return;
      }
      const half = Math.ceil(portion.length / 2);
      await insert(portion.slice(0, half));
      await insert(portion.slice(half));
    }
  };
  const write = async () => {
    while (waiting.length > 0) {
      const portion = waiting.slice(0, perStatement);
      await insert(portion);
      const done = new Set(portion);
      waiting = waiting.filter((event) => !done.has(event));
    }
  };
  return {
    record: (event) => {
      const at = now();
      waiting.push({ ...event, id: newId("use_", at), at });
      if (waiting.length <= mostKept) return;
      const dropped = waiting.length - mostKept / 2;
      waiting = waiting.slice(dropped);
      metrics.usageLost.inc({ reason: "database_away" }, dropped);
      log.error({ dropped }, "usage could not be written for so long that some of it is lost");
    },
    flush: () => {
      running = running.then(write).catch((error: unknown) => {
        log.warn({ err: error, waiting: waiting.length }, "usage could not be written; it will be tried again");
      });
      return running;
    },
  };
}

/** Short enough for a line of the log: an event may be refused for its length. */
const shown = (event: UsageEvent) =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === "string" ? value.slice(0, 100).toWellFormed() : value,
    ]),
  );

export interface Usage {
  rows: UsageRow[];
  next: UsagePlace | null;
  totals: UsageSums;
}

export type { UsageRow };

/** A page of the sums of what was used, up to a second ago, the largest number of requests first within a day. */
export async function sum(
  deps: { db: Db },
  asked: UsageQuery,
  groups: readonly UsageGroup[],
  page: { limit: number; after: UsagePlace | null },
): Promise<Usage> {
  const query = written(deps, asked);
  const found = await pageOfUsage(deps.db, query, groups, { order: "requests", ...page });
  return { ...found, totals: await totalUsage(deps.db, query) };
}

/** Rows that are held at once. */
const rowsAtOnce = 5_000;

/** All of these sums, some at a time, in the order of the groups: requests that come meanwhile move no row. */
export async function* sumAll(
  deps: { db: Db },
  asked: UsageQuery,
  groups: readonly UsageGroup[],
): AsyncGenerator<UsageRow[]> {
  const query = written(deps, asked);
  let after: UsagePlace | null = null;
  do {
    const page: Pick<Usage, "rows" | "next"> = await pageOfUsage(deps.db, query, groups, {
      order: "groups",
      limit: rowsAtOnce,
      after,
    });
    yield page.rows;
    after = page.next;
  } while (after !== null);
}

const written = (deps: { db: Db }, asked: UsageQuery): UsageQuery => ({
  ...asked,
  storeId: asked.storeId === null ? null : writtenId(deps, asked.storeId),
});

/** What the caller's own usage is: of the user, else of the team, else of the key. Null: of nobody. */
export function ownUsage(caller: Caller): Pick<UsageQuery, "userId" | "teamId" | "keyId"> | null {
  const user = userOf(caller);
  if (user === null) return null;
  const { userId, teamId, keyId } = user;
  if (userId !== null) return { userId, teamId: null, keyId: null };
  return teamId === null ? { userId: null, teamId: null, keyId } : { userId: null, teamId, keyId: null };
}

const dayMs = 86_400_000;

/** Removes what is older than USAGE_RETENTION_DAYS. */
export const sweepUsage = (deps: { db: Db; now: () => number }, retentionDays: number): Promise<void> =>
  deleteUsageBefore(deps.db, deps.now() - retentionDays * dayMs);
