import type { ApiError } from "../words/errors.js";
import { withResolvers } from "../process/withResolvers.js";
import type { BatchLimits } from "./batches.js";
import { splitIntoBatches } from "./batches.js";
import type { Clock } from "./clock.js";
import type { Ask } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import { isTooMany, mayConcernOneText } from "./failures.js";

/** Up to as many requests leave at once, so an idle service never waits; later texts are collected until one returns. */
const requestsAtOnce = 4;
/** No text is held back longer, whatever becomes of the requests before it: four that hang must not stop everybody. */
const longestWaitMs = 250;

/** What the queue knows of one model. */
export interface QueryRequests {
  readonly ask: Ask;
  readonly limits: () => BatchLimits;
  /** Told how many texts were accepted after more were too many. */
  readonly learnCount: (accepted: number) => void;
  readonly errorOf: (failure: Failure) => ApiError;
}

/** One text on its way to its vector. */
export interface Query {
  /** Rejects with an ApiError; without meaning once it is given up. */
  readonly vector: Promise<Float32Array>;
  /** To be called once, when nobody waits for it any more: it is not sent, or its request is aborted if nobody waits for the request's other texts. */
  giveUp(): void;
}

interface Waiting {
  readonly text: string;
  readonly land: (vector: Float32Array) => void;
  readonly fail: (error: unknown) => void;
  givenUp: boolean;
  /** The request it is part of; ended requests stay here, and aborting them does nothing. */
  request: { readonly controller: AbortController; wanted: number } | null;
}

/** Texts for one request; `refusal`: they are half of a request refused with it. */
interface Lot {
  readonly queries: readonly Waiting[];
  readonly refusal: Failure | null;
}

/**
 * Joins queries into requests: texts of the same turn of the event loop share one, and so do texts that arrive while 4
 * requests are under way, for at most 250 ms. A request refused for what may be one text's fault is asked in halves, down
 * to that text alone, and only it fails.
 */
export function createQueryQueue(requests: QueryRequests, clock: Clock): (text: string) => Query {
  const waiting = new Set<Waiting>();
  const halves: Lot[] = [];
  let underWay = 0;
  let planned = false;
  let patience: AbortController | null = null;

  function next(): Lot | null {
    for (let lot = halves.shift(); lot !== undefined; lot = halves.shift()) {
      const queries = lot.queries.filter((query) => !query.givenUp);
      if (queries.length > 0) return { ...lot, queries };
    }
    const all = [...waiting];
    const [batch] = splitIntoBatches(
      all.map((query) => query.text),
      requests.limits(),
    );
    if (batch === undefined) return null;
    const queries = all.slice(0, batch.length);
    for (const query of queries) waiting.delete(query);
    return { queries, refusal: null };
  }

  function sendWhileFree(): void {
    while (underWay < requestsAtOnce) {
      const lot = next();
      if (lot === null) break;
      void send(lot);
    }
    watch();
  }

  /** Keeps the timer that bounds the wait, for as long as something waits. */
  function watch(): void {
    if (waiting.size === 0 && halves.length === 0) {
      patience?.abort();
      patience = null;
    } else if (patience === null) {
      const controller = new AbortController();
      patience = controller;
      void clock.sleep(longestWaitMs, controller.signal).then(
        () => {
          if (controller.signal.aborted) return;
          patience = null;
          const lot = next();
          if (lot !== null) void send(lot);
          watch();
        },
        () => undefined, // the wait ended earlier
      );
    }
  }

  async function send({ queries, refusal }: Lot): Promise<void> {
    const request = { controller: new AbortController(), wanted: queries.length };
    for (const query of queries) query.request = request;
    underWay += 1;
    try {
      const texts = queries.map((query) => query.text);
      const outcome = await requests.ask(texts, request.controller.signal);
      if ("value" in outcome) {
        if (refusal !== null && isTooMany(refusal)) requests.learnCount(queries.length);
        outcome.value.forEach((vector, index) => queries[index]?.land(vector));
      } else if (queries.length > 1 && mayConcernOneText(outcome.failure)) {
        const half = Math.ceil(queries.length / 2);
        for (const part of [queries.slice(0, half), queries.slice(half)]) {
          halves.push({ queries: part, refusal: outcome.failure });
        }
      } else {
        const error = requests.errorOf(outcome.failure);
        for (const query of queries) query.fail(error);
      }
    } catch (error) {
      for (const query of queries) query.fail(error);
    } finally {
      underWay -= 1;
      sendWhileFree();
    }
  }

  function giveUp(query: Waiting): void {
    query.givenUp = true;
    if (waiting.delete(query)) watch();
    if (query.request === null) return;
    query.request.wanted -= 1;
    if (query.request.wanted === 0) query.request.controller.abort();
  }

  return (text) => {
    const { promise, resolve, reject } = withResolvers<Float32Array>();
    const query: Waiting = { text, land: resolve, fail: reject, givenUp: false, request: null };
    waiting.add(query);
    if (!planned) {
      planned = true;
      // After the code that runs now: the queries of one search are asked for one after the other, without a pause.
      queueMicrotask(() => {
        planned = false;
        sendWhileFree();
      });
    }
    return {
      vector: promise,
      giveUp: () => {
        giveUp(query);
      },
    };
  };
}
