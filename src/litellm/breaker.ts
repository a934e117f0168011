import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from "cockatiel";
import type { Log } from "../process/log.js";
import type { BreakerState } from "./contract.js";
import { type Failure, type Outcome, concernsKey, failureOf, isOutage } from "./failures.js";

export interface Breaker {
  /**
   * Runs the attempt, or returns a `breaker` failure without running it. An error that the attempt throws passes
   * through and is not counted.
   */
  execute<T>(attempt: () => Promise<Outcome<T>>): Promise<Outcome<T>>;
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
  policy.onBreak(() => {
    openedAt = Date.now(); // cockatiel's own clock
    log.warn({ outages: outagesToOpen, openForMs }, "the LiteLLM proxy keeps failing; requests to it pause");
  });
  policy.onReset(() => {
    log.info("the LiteLLM proxy answers again");
  });
  const leftMs = () => Math.max(0, openedAt + openForMs - Date.now());

  return {
    async execute(attempt) {
      try {
        return await policy.execute(async () => {
          const outcome = await attempt();
          if ("failure" in outcome && concernsKey(outcome.failure)) throw new Uncounted(outcome.failure);
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
