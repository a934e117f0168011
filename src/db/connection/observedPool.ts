import type { PostgresPool, PostgresPoolClient } from "kysely";
import type { Metrics } from "../../process/metrics.js";
import { ApiError } from "../../words/errors.js";
import { exhausted } from "./errors.js";
import { SpanKind, inSpan } from "../../process/tracing.js";

/** A pool that knows how many of its connections are idle. */
export interface Pool extends PostgresPool {
  idle(): number;
}

/** The same pool with its waits and connections counted and its statements traced. */
export function observePool(pool: Pool, metrics: Metrics): PostgresPool {
  const busy = metrics.connections.labels("busy");
  const count = () => {
    metrics.connections.set({ state: "idle" }, pool.idle());
  };
  return {
    async connect() {
      const stop = metrics.poolWait.startTimer();
      metrics.poolWaiting.inc();
      let client: PostgresPoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        if (error instanceof ApiError && error.details.code === exhausted) metrics.poolExhausted.inc();
        throw error;
      } finally {
        metrics.poolWaiting.dec();
        stop();
      }
      busy.inc();
      count();
      return {
        query: traced(client.query.bind(client)),
        release: () => {
          client.release();
          busy.dec();
          count();
        },
      };
    },
    end: () => pool.end(),
  };
}

/** A statement's text contains no user data: values are parameters. */
function traced(run: PostgresPoolClient["query"]): PostgresPoolClient["query"] {
  const query = (text: string, values: readonly unknown[]) =>
    inSpan(
      `postgresql ${/^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? ""}`.trim(),
      { kind: SpanKind.CLIENT, attributes: { "db.system.name": "postgresql", "db.query.text": text } },
      () => run(text, values),
    );
  // Kysely's second overload is for cursors, which are not used here.
  return query as unknown as PostgresPoolClient["query"];
}
