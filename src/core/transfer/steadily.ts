import { setTimeout } from "node:timers/promises";
import { ApiError } from "../../words/errors.js";
import type { TransferPage, TransferSource } from "../../words/rows.js";

/** A database that is away for a moment, as in a failover, must not abort work of hours. */
const patienceMs = 120_000;
const pauses = { firstMs: 500, longestMs: 10_000 };

const isTemporary = (error: unknown) => error instanceof ApiError && error.status === 503;

/**
 * Repeats work while the database is away or too busy, for at most two minutes. The work must be repeatable: a failed
 * attempt may have succeeded.
 */
export async function steadily<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let pause = pauses.firstMs; ; pause = Math.min(pause * 2, pauses.longestMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isTemporary(error) || performance.now() + pause > deadline) throw error;
      await setTimeout(pause);
    }
  }
}

/** The pages of a source. If reading fails with 503 and the source is repeatable, it continues after the last page. */
export async function* readSteadily(source: TransferSource, after: unknown): AsyncGenerator<TransferPage> {
  let position = after;
  let pages = source.pages(position)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const read = async () => {
        try {
          return await pages.next();
        } catch (error) {
          // A generator that has thrown is finished, so open a new one.
          pages = source.pages(position)[Symbol.asyncIterator]();
          throw error;
        }
      };
      const next = await (source.repeatable ? steadily(read) : pages.next());
      if (next.done === true) return;
      position = next.value.position;
      yield next.value;
    }
  } finally {
    await pages.return?.();
  }
}
