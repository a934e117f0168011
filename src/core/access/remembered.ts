import { LRUCache } from "lru-cache";
import { ApiError } from "../../words/errors.js";

/** Answers of somebody else that are asked for again after a while. */
export interface Remembered<T> {
  /**
   * The answer about this id. Callers at the same moment share one question. A question that cannot be answered is
   * asked again by the next caller.
   * @param graceMs in the place of the option
   * @throws what `ask` throws; a refusal (an `ApiError` below 429) is remembered like an answer
   */
  of(id: string, ask: () => Promise<T>, graceMs?: number): Promise<T>;
  /** Whether the answer is known and not too old. */
  knows(id: string): boolean;
  forget(id: string): void;
}

interface Options<T> {
  /** Unix milliseconds. */
  now: () => number;
  /** An answer is never used for longer than this many milliseconds after it was asked for. */
  forMs: number;
  /** Unless the next question cannot be answered: then for this many more. */
  graceMs?: number;
  /** How many answers are kept, and how many refusals. */
  max: number;
  /** From 0 up to, but not including, 1. */
  random?: () => number;
  /** When the answer itself ends, in Unix milliseconds. */
  endOf?: (answer: T) => number | null;
}

interface Answer<T> {
  value: T;
  /** From when on it is asked for again while it is still used, so that nobody waits. */
  staleAt: number;
  endsAt: number;
}

/** Whoever could use an answer that is too old waits no longer than this for a new one. */
const patienceMs = 1_000;

/** @throws Error if the work takes longer, and goes on */
async function atMost<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("it takes too long"));
    }, milliseconds);
  });
  return Promise.race([work, end]).finally(() => {
    clearTimeout(timer);
  });
}

/**
 * The share of its time after which an answer is asked for again. Drawn for each answer, so that those of one moment do
 * not all end at another one.
 */
const share = (random: () => number) => 0.85 + 0.15 * random();

/** Makes a memory of answers. Refusals have a memory of their own: a flood of them must not push answers out. */
export function remember<T>(options: Options<T>): Remembered<T> {
  const { now, forMs, graceMs: usualGraceMs = 0, max, random = Math.random, endOf = () => null } = options;
  const answers = new LRUCache<string, Answer<T>>({ max });
  const refusals = new LRUCache<string, { error: ApiError; endsAt: number }>({ max });
  const asking = new Map<string, Promise<T>>();

  const put = (id: string, value: T, askedAt: number) => {
    refusals.delete(id);
    const endsAt = Math.min(askedAt + forMs, endOf(value) ?? Infinity);
    answers.set(id, { value, staleAt: askedAt + forMs * share(random), endsAt });
  };
  const refuse = (id: string, error: unknown, askedAt: number) => {
    if (!(error instanceof ApiError) || error.status >= 429) return;
    answers.delete(id);
    refusals.set(id, { error, endsAt: askedAt + forMs });
  };

  const askOnce = (id: string, ask: () => Promise<T>): Promise<T> => {
    const running = asking.get(id);
    if (running !== undefined) return running;
    const askedAt = now();
    const asked = ask()
      .then(
        (value) => {
          if (asking.get(id) === asked) put(id, value, askedAt);
          return value;
        },
        (error: unknown) => {
          if (asking.get(id) === asked) refuse(id, error, askedAt);
          throw error;
        },
      )
      .finally(() => {
        if (asking.get(id) === asked) asking.delete(id);
      });
    asking.set(id, asked);
    return asked;
  };

  return {
    of: async (id, ask, graceMs = usualGraceMs) => {
      const known = answers.get(id);
      const moment = now();
      if (known !== undefined && moment < known.endsAt) {
        if (moment >= known.staleAt) askOnce(id, ask).catch(() => undefined);
        return known.value;
      }
      const refusal = refusals.get(id);
      if (refusal !== undefined && moment < refusal.endsAt) throw refusal.error;
      const asked = askOnce(id, ask);
      // The answer's own end is never exceeded: a key that has expired stays so.
      const end = known === undefined ? 0 : Math.min(known.endsAt + graceMs, endOf(known.value) ?? Infinity);
      if (known === undefined || moment >= end) return asked;
      try {
        return await atMost(patienceMs, asked);
      } catch (error) {
        const refused = error instanceof ApiError && error.status < 429;
        if (refused || now() >= end) throw error;
        return known.value;
      }
    },
    knows: (id) => {
      const end = answers.peek(id)?.endsAt ?? refusals.peek(id)?.endsAt;
      return end !== undefined && now() < end;
    },
    forget: (id) => {
      answers.delete(id);
      refusals.delete(id);
      // An answer to a question that was asked before this moment may be out of date.
      asking.delete(id);
    },
  };
}
