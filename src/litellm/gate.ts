import { OpenAI } from "openai";
import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics, Operation } from "../process/metrics.js";
import { SpanKind, describeSpan, inSpan, traceHeaders } from "../process/tracing.js";
import { follow, untilAborted } from "./abort.js";
import { createBreaker } from "./breaker.js";
import type { Clock } from "./clock.js";
import type { BreakerState } from "./contract.js";
import type { Failure, Outcome } from "./failures.js";
import { failureOf, readFailure } from "./failures.js";
import { withRetries } from "./retries.js";

/** One request, made with the client; must pass the signal on. */
export type Call = (client: OpenAI, signal: AbortSignal) => Promise<unknown>;

/** The only way to the proxy: time limit, breaker and retries around every request. */
export interface Gate {
  /** The parsed answer or why there is none. @throws only the signal's reason once it is aborted. */
  ask(operation: Operation, call: Call, signal?: AbortSignal): Promise<Outcome<unknown>>;
  breaker(): BreakerState;
}

export interface GateDeps {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

/** A gate with a breaker of its own. `baseUrl` is the proxy's root without `/v1`. */
export function createGate(config: EmbeddingConfig, baseUrl: string, { log, metrics, clock }: GateDeps): Gate {
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
    // The proxy's own trace goes on below ours.
    fetch: (url, init) => {
      const trace = Object.entries(traceHeaders());
      if (trace.length === 0) return fetch(url, init);
      const headers = new Headers(init?.headers);
      for (const [name, value] of trace) headers.set(name, value);
      return fetch(url, { ...init, headers });
    },
  });
  const breaker = createBreaker(log);
  const host = new URL(baseUrl).host;

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

  const observed = (operation: Operation, call: Call, limitMs: number, signal?: AbortSignal) =>
    inSpan(`litellm ${operation}`, { kind: SpanKind.CLIENT, attributes: { "server.address": host } }, async () => {
      const stop = metrics.providerDuration.startTimer({ operation });
      try {
        const outcome = await attempt(call, limitMs, signal);
        if ("failure" in outcome) describeSpan({ "error.type": reasonOf(outcome.failure) });
        return outcome;
      } finally {
        stop();
      }
    });

  return {
    breaker: () => breaker.state(),
    ask: (operation, call, signal) =>
      withRetries(
        // In the half-open state the breaker holds a call back behind another one's trial: that wait must end on abort too.
        async (limitMs) => {
          const outcome = await untilAborted(
            breaker.execute(() => observed(operation, call, limitMs, signal)),
            signal,
          );
          if ("failure" in outcome) metrics.providerErrors.inc({ operation, reason: reasonOf(outcome.failure) });
          return outcome;
        },
        config,
        { clock, log, signal },
      ),
  };
}

/** One of few words, for a label. */
function reasonOf({ kind, status }: Failure): string {
  if (kind === "status") return status === 429 ? "rate_limited" : status >= 500 ? "server_error" : "refused";
  return { timeout: "timeout", network: "connection", unusable: "server_error", breaker: "breaker_open" }[kind];
}
