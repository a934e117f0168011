import type { AddressInfo } from "node:net";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { EmbeddingConfig } from "../../src/process/config.js";
import { ownWork } from "../../src/words/caller.js";
import { ApiError } from "../../src/words/errors.js";
import type { Clock } from "../../src/litellm/clock.js";
import { createLitellm } from "../../src/litellm/litellm.js";
import { createLog } from "../../src/process/log.js";
import { type Metrics, createMetrics } from "../../src/process/metrics.js";
import { onBehalfOf } from "./callers.js";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    model?: string;
    input: string[];
    encoding_format?: string;
    dimensions?: number;
    user?: string;
  };
  /** Counted from 1, in order of arrival. */
  readonly number: number;
}
export type Answer =
  | { status?: number; headers?: Record<string, string>; json?: unknown; text?: string }
  /** Server-sent events, one `data:` line each. */
  | { events: AsyncIterable<string> }
  /** Never answers, sends the headers but never the body, or cuts the connection. */
  | "hang"
  | "stall"
  | "drop";

export interface Provider {
  readonly url: string;
  readonly asked: Asked[];
  /** Requests whose caller disconnected. */
  readonly left: () => number;
  /** Connections opened so far. */
  readonly sockets: () => number;
  /** Resolves once `count` requests have arrived. */
  readonly arrived: (count: number) => Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A real HTTP server with scripted answers. */
export async function startProvider(answer: (asked: Asked) => Answer | Promise<Answer>): Promise<Provider> {
  const asked: Asked[] = [];
  let left = 0;
  let sockets = 0;
  const awaited = new Map<number, ReturnType<typeof gateway>>();
  const awaitedBy = (count: number) => {
    const found = awaited.get(count) ?? gateway();
    awaited.set(count, found);
    return found;
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on("close", () => {
      if (!response.writableFinished) left += 1;
    });
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url: path = "", headers } = request;
      const body = (text === "" ? {} : JSON.parse(text)) as Asked["body"];
      const one = { method, path, headers, body, number: asked.length + 1 };
      asked.push(one);
      awaitedBy(one.number).open();
      void Promise.resolve(answer(one)).then((reply) => {
        if (reply === "hang") return;
        if (reply === "drop") {
          request.socket.destroy();
          return;
        }
        if (reply === "stall") {
          response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
          return;
        }
        if ("events" in reply) {
          void sendEvents(response, reply.events);
          return;
        }
        response.writeHead(reply.status ?? 200, { "content-type": "application/json", ...reply.headers });
        response.end(reply.text ?? JSON.stringify(reply.json));
      });
    });
  });
  server.on("connection", () => {
    sockets += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    left: () => left,
    sockets: () => sockets,
    arrived: (count) => awaitedBy(count).opened,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function sendEvents(response: ServerResponse, events: AsyncIterable<string>): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  for await (const data of events) {
    if (response.destroyed) return;
    response.write(`data: ${data}\n\n`);
  }
  response.end();
}

/** A provider that holds each answer until it is released, by its request's number or all at once. */
export async function startHeldProvider(answer: (asked: Asked) => Answer = embeddings) {
  const held = new Map<number, ReturnType<typeof gateway>>();
  let all = false;
  const holdOf = (number: number) => {
    const found = held.get(number) ?? gateway();
    held.set(number, found);
    return found;
  };
  const provider = await startProvider(async (asked) => {
    if (!all) await holdOf(asked.number).opened;
    return answer(asked);
  });
  return Object.assign(provider, {
    release: (...numbers: number[]) => {
      for (const number of numbers) holdOf(number).open();
    },
    releaseAll: () => {
      all = true;
      for (const hold of held.values()) hold.open();
    },
  });
}

/** A vector that identifies its text: the text's length, then its first character code. */
export const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0), 0.5];

export const base64 = (numbers: number[]) => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");

/** OpenAI's answer to a request for embeddings, in the requested format. */
export const embeddings = ({ body }: Asked): Answer => ({
  json: {
    object: "list",
    data: body.input.map((text, index) => ({
      object: "embedding",
      index,
      embedding: body.encoding_format === "base64" ? base64(vectorOf(text)) : vectorOf(text),
    })),
    model: body.model,
    usage: { prompt_tokens: 1, total_tokens: 1 },
  },
});

export const failure = (status: number, message: string, more: object = {}, headers = {}): Answer => ({
  status,
  headers,
  json: { error: { message, type: null, param: null, code: String(status), ...more } },
});

function settings(baseUrl: string | null, changes: Partial<EmbeddingConfig> = {}): EmbeddingConfig {
  return {
    model: "test-model",
    dimensions: 3,
    dimensionsConfigured: false,
    modelConfigured: true,
    prompts: {},
    baseUrl,
    apiKey: "sk-service-key",
    timeoutMs: 10_000,
    retryBudgetMs: 0,
    batchSize: 256,
    chatTimeoutMs: 10_000,
    visionTimeoutMs: 10_000,
    rerankTimeoutMs: 10_000,
    ...changes,
  };
}

/** A clock that moves only by sleeping, and records the sleeps. Random numbers are always `random`. */
export function fakeClock(random = 0.5): Clock & { readonly sleeps: number[]; advance(milliseconds: number): void } {
  let now = Date.UTC(2026, 0, 1);
  const sleeps: number[] = [];
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return {
    sleeps,
    advance,
    now: () => now,
    random: () => random,
    sleep: (milliseconds, signal) => {
      signal?.throwIfAborted();
      sleeps.push(milliseconds);
      advance(milliseconds);
      return Promise.resolve();
    },
  };
}

/** A fake clock whose sleeps last until `wake` or their signal ends them. */
export function sleepyClock() {
  const sleepers = new Set<() => void>();
  const clock = fakeClock();
  return {
    ...clock,
    sleeping: () => sleepers.size,
    wake: () => {
      for (const wake of sleepers) wake();
    },
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        clock.sleeps.push(milliseconds);
        const wake = () => {
          sleepers.delete(wake);
          resolve();
        };
        sleepers.add(wake);
        signal?.addEventListener("abort", () => {
          sleepers.delete(wake);
          reject(signal.reason as Error);
        });
      }),
  };
}

export const quiet = createLog("silent");

/** For tests of several callers. */
export const sharedLitellm = (
  provider: Provider | null,
  changes: Partial<EmbeddingConfig> = {},
  clock: Clock = fakeClock(),
  metrics: Metrics = createMetrics(),
) => createLitellm(settings(provider === null ? null : provider.url, changes), quiet, metrics, clock);

/** For tests in which the caller does not matter: the service itself. */
export const litellm = (...given: Parameters<typeof sharedLitellm>) => onBehalfOf(ownWork, sharedLitellm(...given));

/** The ApiError that a promise rejects with, as its caller sees it. */
export async function errorOf(promise: Promise<unknown>) {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`);
  return {
    status: error.status,
    retryAfter: error.details.retryAfterSeconds,
    ...error.envelope.error,
  };
}

export const numbers = (vectors: readonly Float32Array[]) => vectors.map((vector) => Array.from(vector));

/** A promise together with its resolver. */
export function gateway(): { readonly opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
