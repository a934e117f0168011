import { hash } from "node:crypto";
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from "cockatiel";
import type { Log } from "../process/log.js";
import type { BreakerState } from "./contract.js";
import { type Failure, type Outcome, concernsKey, failureOf, isOutage } from "./failures.js";

export interface Breaker {
  /**
   * Runs the attempt, or returns a `breaker` failure without running it. An error that the attempt throws passes
   * through and is not counted.
   * @param about the texts of the request; none: each attempt is about something else
   */
  execute<T>(attempt: () => Promise<Outcome<T>>, about?: readonly string[]): Promise<Outcome<T>>;
  /**
   * `half-open` as soon as the next call would pass, so a readiness check that only looks cannot keep it open forever.
   */
  state(): BreakerState;
}

const outagesToOpen = 5;
const openForMs = 10_000;

/** Passes through the policy as an error, because the policy counts every returned value as an outage or a success. */
class Uncounted extends Error {
  constructor(readonly failure: Failure) {
    super("not counted");
  }
}

/**
 * Opens for 10 seconds after 5 outages in a row: network, time limit, 5xx. Other answers prove that the provider works
 * and reset the count. Refusals of a key do neither, because one caller's spent budget must not hide an outage from the
 * others. If the trial after 10 seconds gets such a refusal, the next outage opens the breaker again.
 *
 * A model may also fail on one text. So outages in a row count once for each text that they have in common: neither
 * retries of one call nor a caller who repeats it can refuse the others.
 */
export function createBreaker(log: Log): Breaker {
  const policy = circuitBreaker(
    handleWhenResult((result) => {
      const outcome = result as Outcome<unknown>;
      return "failure" in outcome && isOutage(outcome.failure);
    }),
    { breaker: new ConsecutiveBreaker(outagesToOpen), halfOpenAfter: openForMs },
  );
  let openedAt = 0;
  /** Digests of the texts of the outages that count. */
  const counted = new Set<string>();
  policy.onBreak(() => {
    counted.clear();
    openedAt = Date.now(); // cockatiel's own clock
    log.warn({ outages: outagesToOpen, openForMs }, "the LiteLLM proxy keeps failing; requests to it pause");
  });
  policy.onReset(() => {
    log.info("the LiteLLM proxy answers again");
  });
  const leftMs = () => Math.max(0, openedAt + openForMs - Date.now());

  return {
    async execute(attempt, about = []) {
      try {
        return await policy.execute(async () => {
          const outcome = await attempt();
          const failure = "failure" in outcome ? outcome.failure : null;
          if (failure !== null && concernsKey(failure)) throw new Uncounted(failure);
          if (failure === null || !isOutage(failure)) {
            counted.clear();
            return outcome;
          }
          const digests = about.map((text) => hash("sha256", text, "base64"));
          const again = policy.state === CircuitState.Closed && digests.some((digest) => counted.has(digest));
          if (again) throw new Uncounted(failure);
          for (const digest of digests) counted.add(digest);
          return outcome;
        });
      } catch (error) {
        if (error instanceof Uncounted) return { failure: error.failure };
        if (error instanceof BrokenCircuitError) return { failure: failureOf("breaker", leftMs()) };
        throw error;
      }
    },
    state() {
      if (policy.state === CircuitState.Closed) return "closed";
      return policy.state === CircuitState.Open && leftMs() > 0 ? "open" : "half-open";
    },
  };
}
