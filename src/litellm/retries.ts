import type { Log } from "../process/log.js";
import type { Clock } from "./clock.js";
import type { Failure, Outcome } from "./failures.js";
import { isTransient } from "./failures.js";

/** First and longest step of the back-off, the same as the `openai` client's. */
const firstStepMs = 500;
const longestStepMs = 8_000;

/**
 * Repeats the attempt until it succeeds, fails permanently, or the budget leaves no time for another attempt. Waits at
 * least as long as the provider's Retry-After says, else exponentially longer with full jitter. If the wait is longer
 * than what is left of the budget, it returns the failure at once, with the provider's Retry-After.
 * @param attempt gets its time limit in milliseconds: `timeoutMs`, or less if the budget ends earlier
 * @throws the signal's reason once it is aborted
 */
export async function withRetries<T>(
  attempt: (limitMs: number) => Promise<Outcome<T>>,
  limits: { readonly timeoutMs: number; readonly retryBudgetMs: number },
  { clock, log, signal }: { clock: Clock; log: Log; signal?: AbortSignal },
): Promise<Outcome<T>> {
  const deadline = clock.now() + limits.retryBudgetMs;
  // A budget shorter than the time limit shortens the retries, never the first attempt.
  let limitMs = limits.timeoutMs;
  let before: Failure | null = null;
  for (let tries = 0; ; tries += 1) {
    const outcome = await attempt(limitMs);
    if (!("failure" in outcome)) return outcome;
    const { failure } = outcome;
    // If the budget ends during an attempt, return the earlier failure: it is the cause.
    if (before !== null && failure.kind === "timeout" && limitMs < limits.timeoutMs) return { failure: before };
    before = failure;
    // An open breaker fails new calls at once. A call that has already tried may use its budget to wait out a short
    // outage.
    const again = isTransient(failure) || (failure.kind === "breaker" && tries > 0);
    const step = clock.random() * Math.min(longestStepMs, firstStepMs * 2 ** tries);
    const waitMs = Math.max(step, failure.retryAfterMs ?? 0);
    const leftMs = deadline - clock.now() - waitMs;
    const { kind, status } = failure;
    if (!again || leftMs <= 0) {
      log.warn({ kind, status, tries: tries + 1 }, "a request to the LiteLLM proxy failed");
      return outcome;
    }
    log.debug({ kind, status, tries: tries + 1, waitMs }, "a request to the LiteLLM proxy failed and will be repeated");
    await clock.sleep(waitMs, signal);
    limitMs = Math.min(limits.timeoutMs, Math.max(1, deadline - clock.now()));
  }
}
