import { OpenAI } from "openai";
import type { EmbeddingConfig } from "../config.js";
import type { Log } from "../log.js";
import { follow, untilAborted } from "./abort.js";
import type { BreakerState } from "./breaker.js";
import { createBreaker } from "./breaker.js";
import type { Clock } from "./clock.js";
import type { Outcome } from "./failures.js";
import { failureOf, readFailure } from "./failures.js";
import { withRetries } from "./retries.js";

/** One request, made with the client; must pass the signal on. */
export type Call = (client: OpenAI, signal: AbortSignal) => Promise<unknown>;

/** The only way to the proxy: time limit, breaker and retries around every request. */
export interface Gate {
  /** The parsed answer or why there is none. @throws only the signal's reason once it is aborted. */
  ask(call: Call, signal?: AbortSignal): Promise<Outcome<unknown>>;
  breaker(): BreakerState;
}

/** A gate with a breaker of its own. `baseUrl` is the proxy's root without `/v1`. */
export function createGate(config: EmbeddingConfig, baseUrl: string, log: Log, clock: Clock): Gate {
  const client = new OpenAI({
    baseURL: `${baseUrl}/v1`,
    apiKey: config.apiKey ?? "none",
    timeout: config.timeoutMs,
    maxRetries: 0, // the client's retries know no common budget
    // The client would read these from the environment, where OPENAI_LOG=debug prints texts.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: "off",
  });
  const breaker = createBreaker(log);

  /** The client's own time limit ends with the headers; this one covers the body too. */
  const attempt = async (call: Call, limitMs: number, signal?: AbortSignal): Promise<Outcome<unknown>> => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const unfollow = follow(signal, controller);
    const timer = setTimeout(() => {
      controller.abort();
    }, limitMs);
    try {
      return { value: await call(client, controller.signal) };
    } catch (error) {
      signal?.throwIfAborted();
      return { failure: controller.signal.aborted ? failureOf("timeout") : readFailure(error, clock.now()) };
    } finally {
      clearTimeout(timer);
      unfollow();
    }
  };

  return {
    breaker: () => breaker.state(),
    ask: (call, signal) =>
      withRetries(
        // In the half-open state the breaker holds a call back behind another one's trial: that wait must end on abort too.
        (limitMs) =>
          untilAborted(
            breaker.execute(() => attempt(call, limitMs, signal)),
            signal,
          ),
        config,
        { clock, log, signal },
      ),
  };
}
