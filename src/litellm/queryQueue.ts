import type { ApiError } from "../words/errors.js";
import { withResolvers } from "../process/withResolvers.js";
import type { Account } from "./account.js";
import type { BatchLimits } from "./batches.js";
import { splitIntoBatches } from "./batches.js";
import type { Clock } from "./clock.js";
import type { Ask } from "./embeddingRequest.js";
import type { Failure } from "./failures.js";
import type { Sending } from "./gate.js";
import { isTooMany, mayConcernOneText } from "./failures.js";

/** Up to 4 requests are sent at once. Later texts collect until one of them returns. */
const requestsAtOnce = 4;
/** A text waits no longer than this for a request to return: four that hang must not stop the rest. */
const longestWaitMs = 250;

/** What the queue knows of one model. */
export interface QueryRequests {
  readonly ask: Ask;
  readonly limits: () => BatchLimits;
  /** Called with how many texts the model accepted after refusing more. */
  readonly learnCount: (accepted: number) => void;
  /** For the failure of a request that cannot be repeated in parts. May ask the model why. */
  readonly errorOf: (failure: Failure, sending: Sending) => Promise<ApiError>;
}

/** One text on its way to its vector. */
export interface Query {
  /** Rejects with an ApiError. Undefined once the query is given up. */
  readonly vector: Promise<Float32Array>;
  /** Its share of its request's tokens, once it has its vector. */
  readonly tokens: () => number;
  /**
   * Call once, when no caller waits for the text any more. If it is not sent yet, it never is. If it is, its request is
   * aborted once all the request's texts are given up.
   */
  giveUp(): void;
}

interface Waiting {
  readonly text: string;
  readonly land: (vector: Float32Array) => void;
  readonly fail: (error: unknown) => void;
  tokens: number;
  givenUp: boolean;
  /** The request it belongs to. Stays after the request has ended, when an abort does nothing. */
  request: { readonly controller: AbortController; wanted: number } | null;
}

/** Texts for one request. `refusal`: if they are half of a refused request, why it was refused. */
interface Lot {
  readonly queries: readonly Waiting[];
  readonly refusal: Failure | null;
}

/**
 * Joins one account's queries into requests: texts of the same turn of the event loop share one, and so do texts that
 * arrive while 4 requests are under way, for at most 250 ms. If one text may be the cause of a refusal, the request is
 * repeated in halves, down to that text, so that only it fails.
 */
export function createQueryQueue(requests: QueryRequests, account: Account, clock: Clock): (text: string) => Query {
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
    const queries = takeBatch(waiting, requests.limits());
    return queries.length === 0 ? null : { queries, refusal: null };
  }

  async function send(lot: Lot): Promise<void> {
    underWay += 1;
    halves.push(...(await ask(lot, requests, account)));
    underWay -= 1;
    sendWhileFree();
  }

  function sendWhileFree(): void {
    while (underWay < requestsAtOnce) {
      const lot = next();
      if (lot === null) break;
      void send(lot);
    }
    watch();
  }

  /** Runs the timer that limits the wait, as long as something waits. */
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

  return (text) => {
    const { promise, resolve, reject } = withResolvers<Float32Array>();
    const query: Waiting = { text, land: resolve, fail: reject, tokens: 0, givenUp: false, request: null };
    waiting.add(query);
    if (!planned) {
      planned = true;
      // After the current code, because the queries of one search are added one after the other without a pause.
      queueMicrotask(() => {
        planned = false;
        sendWhileFree();
      });
    }
    return {
      vector: promise,
      tokens: () => query.tokens,
      giveUp: () => {
        if (waiting.delete(query)) watch();
        giveUp(query);
      },
    };
  };
}

/** Takes the texts of one request out of the set, the oldest first. */
function takeBatch(waiting: Set<Waiting>, limits: BatchLimits): Waiting[] {
  const all = [...waiting];
  const [batch = []] = splitIntoBatches(
    all.map((query) => query.text),
    limits,
  );
  const queries = all.slice(0, batch.length);
  for (const query of queries) waiting.delete(query);
  return queries;
}

function giveUp(query: Waiting): void {
  query.givenUp = true;
  if (query.request === null) return;
  query.request.wanted -= 1;
  if (query.request.wanted === 0) query.request.controller.abort();
}

/** Divides the tokens of a request among its texts by their lengths; whole numbers that add up. */
function shareTokens(tokens: number, queries: readonly Waiting[]): void {
  const length = queries.reduce((sum, query) => sum + query.text.length, 0);
  let [read, given] = [0, 0];
  for (const query of queries) {
    read += query.text.length;
    const until = Math.round((tokens * read) / Math.max(1, length));
    query.tokens = until - given;
    given = until;
  }
}

/** Requests a lot's vectors and settles each of its queries. Never rejects. @returns halves to request again */
async function ask({ queries, refusal }: Lot, requests: QueryRequests, account: Account): Promise<Lot[]> {
  const request = { controller: new AbortController(), wanted: queries.length };
  for (const query of queries) query.request = request;
  try {
    const texts = queries.map((query) => query.text);
    const sending = { account, signal: request.controller.signal };
    const outcome = await requests.ask(texts, sending);
    if ("value" in outcome) {
      if (refusal !== null && isTooMany(refusal)) requests.learnCount(queries.length);
      shareTokens(outcome.tokens, queries);
      outcome.value.forEach((vector, index) => queries[index]?.land(vector));
      return [];
    }
    const { failure } = outcome;
    if (queries.length > 1 && mayConcernOneText(failure)) {
      const half = Math.ceil(queries.length / 2);
      return [queries.slice(0, half), queries.slice(half)].map((part) => ({ queries: part, refusal: failure }));
    }
    const error = await requests.errorOf(failure, sending);
    for (const query of queries) query.fail(error);
  } catch (error) {
    for (const query of queries) query.fail(error);
  }
  return [];
}
