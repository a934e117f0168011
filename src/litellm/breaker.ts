import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhenResult } from "cockatiel";
import type { Log } from "../process/log.js";
import type { BreakerState } from "./contract.js";
import type { Outcome } from "./failures.js";
import { failureOf, isOutage } from "./failures.js";

export interface Breaker {
  /** Runs the attempt, or answers with a `breaker` failure without running it. What the attempt throws passes uncounted. */
  execute<T>(attempt: () => Promise<Outcome<T>>): Promise<Outcome<T>>;
  /** `half-open` as soon as the next call would be let through, so that a readiness check cannot keep it open for ever. */
  state(): BreakerState;
}

const outagesToOpen = 5;
const openForMs = 10_000;

/** Opens after 5 outages in a row (network, time limit, 5xx; any other answer proves the provider alive), for 10 seconds. */
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
    log.warn({ outages: outagesToOpen, openForMs }, "the LiteLLM proxy keeps failing and is left alone for a while");
  });
  policy.onReset(() => {
    log.info("the LiteLLM proxy answers again");
  });
  const leftMs = () => Math.max(0, openedAt + openForMs - Date.now());

  return {
    async execute(attempt) {
      try {
        return await policy.execute(attempt);
      } catch (error) {
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
