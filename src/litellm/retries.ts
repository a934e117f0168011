import type { Log } from "../process/log.js";
import type { Clock } from "./clock.js";
import type { Failure, Outcome } from "./failures.js";
import { isTransient } from "./failures.js";

/** First and longest step of the back-off, as the `openai` client's own. */
const firstStepMs = 500;
const longestStepMs = 8_000;

/**
 * Attempts until one succeeds, fails for good, or the next could not begin before the budget has run out. Waits at least
 * what the provider asked for, and otherwise exponentially longer with full jitter. A wait longer than what is left of the
 * budget is not begun: the failure, with the provider's Retry-After, is returned at once.
 * @param attempt gets its own time limit in milliseconds: `timeoutMs`, less where the budget ends earlier
 * @throws the signal's reason once it is aborted
 */
export async function withRetries<T>(
  attempt: (limitMs: number) => Promise<Outcome<T>>,
  limits: { readonly timeoutMs: number; readonly retryBudgetMs: number },
  { clock, log, signal }: { clock: Clock; log: Log; signal?: AbortSignal },
): Promise<Outcome<T>> {
  const deadline = clock.now() + limits.retryBudgetMs;
  // A budget shorter than the time limit bounds the retries, never the first attempt.
  let limitMs = limits.timeoutMs;
  let before: Failure | null = null;
  for (let tries = 0; ; tries += 1) {
    const outcome = await attempt(limitMs);
    if (!("failure" in outcome)) return outcome;
    const { failure } = outcome;
    // That the budget ended in the midst of an attempt says less than why there had to be another one.
    if (before !== null && failure.kind === "timeout" && limitMs < limits.timeoutMs) return { failure: before };
    before = failure;
    // An open breaker fails new calls at once, but a call on its way may use its budget to outlast a short outage.
    const again = isTransient(failure) || (failure.kind === "breaker" && tries > 0);
    const step = clock.random() * Math.min(longestStepMs, firstStepMs * 2 ** tries);
    const waitMs = Math.max(step, failure.retryAfterMs ?? 0);
    const leftMs = deadline - clock.now() - waitMs;
    const { kind, status } = failure;
    if (!again || leftMs <= 0) {
      log.warn({ kind, status, tries: tries + 1 }, "a request to the LiteLLM proxy failed");
      return outcome;
    }
    log.debug({ kind, status, tries: tries + 1, waitMs }, "a request to the LiteLLM proxy will be repeated");
    await clock.sleep(waitMs, signal);
    limitMs = Math.min(limits.timeoutMs, Math.max(1, deadline - clock.now()));
  }
}
