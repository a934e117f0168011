import { OpenAI } from "openai";
import type { EmbeddingConfig } from "../process/config.js";
import type { Log } from "../process/log.js";
import type { Metrics, Operation } from "../process/metrics.js";
import { SpanKind, describeSpan, inSpan, traceHeaders } from "../process/tracing.js";
import { follow, untilAborted } from "../process/abort.js";
import type { Secret } from "../words/secret.js";
import type { Account } from "./account.js";
import { createBreaker } from "./breaker.js";
import type { Clock } from "./clock.js";
import type { BreakerState } from "./contract.js";
import { type Failure, type Outcome, failureOf, readFailure } from "./failures.js";
import { withRetries } from "./retries.js";

/** On whose account a request goes out, and what ends it early. */
export interface Sending {
  readonly account: Account;
  readonly signal?: AbortSignal | undefined;
  /** One attempt, whatever the breaker says, and not counted by it: to find out why others failed. */
  readonly trial?: boolean | undefined;
  /** The texts of the request: failures that may be one text's fault count once for the breaker. */
  readonly about?: readonly string[] | undefined;
  /** Limits this call more than the settings do. */
  readonly atMost?: { readonly timeoutMs: number; readonly retryBudgetMs: number } | undefined;
}

/** Every request must carry these: the account's key, and the signal of this attempt. */
interface RequestOptions {
  readonly headers: { readonly authorization: string; readonly [further: string]: string };
  readonly signal: AbortSignal;
}

/** Makes one request with the client. It must pass the options on; if it forgets, the proxy gets no key and refuses. */
type Call = (client: OpenAI, options: RequestOptions) => Promise<unknown>;

/** All requests to the proxy go through a gate, which adds time limit, breaker and retries. */
export interface Gate {
  /**
   * The parsed answer, or why the request failed.
   * @throws only the signal's reason once it is aborted, and an ApiError if there is no key for the account
   */
  ask(operation: Operation, call: Call, sending: Sending): Promise<Outcome<unknown>>;
  breaker(): BreakerState;
}

export interface GateDeps {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

/** A gate with its own breaker, shared by all accounts. `baseUrl` is the proxy's root without `/v1`. */
export function createGate(config: EmbeddingConfig, baseUrl: string, { log, metrics, clock }: GateDeps): Gate {
  const client = createClient(baseUrl, config.timeoutMs);
  const breaker = createBreaker(log);
  const host = new URL(baseUrl).host;

  /** The client's own time limit ends with the headers; this one covers the body too. */
  const attempt = async (call: Call, limitMs: number, { account, key, signal }: Ready): Promise<Outcome<unknown>> => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const unfollow = follow(signal, controller);
    const timer = setTimeout(() => {
      controller.abort();
    }, limitMs);
    const headers = { ...account.headers, authorization: `Bearer ${key.reveal()}` };
    try {
      const value = await call(client, { headers, signal: controller.signal });
      if (account.meter !== undefined) account.meter.tokens += tokensIn(value);
      return { value };
    } catch (error) {
      signal?.throwIfAborted();
      return { failure: controller.signal.aborted ? failureOf("timeout") : readFailure(error, clock.now()) };
    } finally {
      clearTimeout(timer);
      unfollow();
    }
  };

  const observed = (operation: Operation, call: Call, limitMs: number, sending: Ready) =>
    inSpan(`litellm ${operation}`, { kind: SpanKind.CLIENT, attributes: { "server.address": host } }, async () => {
      const stop = metrics.providerDuration.startTimer({ operation });
      try {
        const outcome = await attempt(call, limitMs, sending);
        if ("failure" in outcome) describeSpan({ "error.type": reasonOf(outcome.failure) });
        return outcome;
      } finally {
        stop();
      }
    });

  const counted = (operation: Operation, outcome: Outcome<unknown>) => {
    if ("failure" in outcome) metrics.providerErrors.inc({ operation, reason: reasonOf(outcome.failure) });
    return outcome;
  };

  return {
    breaker: () => breaker.state(),
    ask: async (operation, call, sending) => {
      const ready = { ...sending, key: await keyFor(sending) };
      const outcome = await (sending.trial === true
        ? observed(operation, call, config.timeoutMs, ready).then((result) => counted(operation, result))
        : withRetries(
            // A half-open breaker makes a call wait for another call's trial: an abort must end that wait too.
            async (limitMs) => {
              const attempt = breaker.execute(() => observed(operation, call, limitMs, ready), sending.about);
              return counted(operation, await untilAborted(attempt, sending.signal));
            },
            limitsOf(config, sending),
            { clock, log, signal: sending.signal },
          ));
      if ("failure" in outcome && outcome.failure.status === 401 && "refused" in sending.account.key)
        sending.account.key.refused();
      return outcome;
    },
  };
}

/** A request with the key that it carries. */
type Ready = Sending & { readonly key: Secret };

/** Not within an attempt: that LiteLLM makes no key for one payer must not open everybody's breaker. */
async function keyFor({ account: { key }, signal }: Sending): Promise<Secret> {
  return "get" in key ? untilAborted(key.get(), signal) : key;
}

const limitsOf = ({ timeoutMs, retryBudgetMs }: EmbeddingConfig, { atMost }: Sending) => ({
  timeoutMs: Math.min(timeoutMs, atMost?.timeoutMs ?? timeoutMs),
  retryBudgetMs: Math.min(retryBudgetMs, atMost?.retryBudgetMs ?? retryBudgetMs),
});

/** One client for all accounts: each request has its own key. */
const createClient = (baseUrl: string, timeoutMs: number) =>
  new OpenAI({
    baseURL: `${baseUrl}/v1`,
    apiKey: "none",
    timeout: timeoutMs,
    maxRetries: 0, // the client's own retries have no common budget
    // The client would read these from the environment, where OPENAI_LOG=debug prints texts.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: "off",
    // The proxy's own trace continues ours.
    fetch: (url, init) => {
      const trace = Object.entries(traceHeaders());
      if (trace.length === 0) return fetch(url, init);
      const headers = new Headers(init?.headers);
      for (const [name, value] of trace) headers.set(name, value);
      return fetch(url, { ...init, headers });
    },
  });

/** The tokens that an answer says it took: of embeddings and whole chat completions in OpenAI's form. */
function tokensIn(answer: unknown): number {
  const tokens = (answer as { usage?: { total_tokens?: unknown } | null } | null)?.usage?.total_tokens;
  return typeof tokens === "number" && tokens > 0 ? Math.round(tokens) : 0;
}

/** A label from a small fixed set. */
function reasonOf({ kind, status }: Failure): string {
  if (kind === "status") return status === 429 ? "rate_limited" : status >= 500 ? "server_error" : "refused";
  return { timeout: "timeout", network: "connection", unusable: "server_error", breaker: "breaker_open" }[kind];
}
