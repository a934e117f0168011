import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { ApiError } from "../../src/words/errors.js";
import type { Failure, Outcome } from "../../src/litellm/failures.js";
import { failureOf } from "../../src/litellm/failures.js";
import { joinQueries } from "../../src/litellm/joinedQueries.js";
import { createMetrics } from "../../src/process/metrics.js";
import { quiet, sleepyClock } from "./support.js";
import { campaign } from "../support/campaign.js";

describe("whatever happens in which order", () => {
  const refusal: Failure = { ...failureOf("network"), kind: "status", status: 400 };

  /** Requests that end when told; a text below 3 is refused, with all that share its request. */
  function tellable(count: number) {
    const open = new Set<() => void>();
    const seen = { most: 0, largest: 0, aborted: 0 };
    const ask = (texts: readonly string[], signal?: AbortSignal) =>
      new Promise<Outcome<Float32Array[]>>((resolve, reject) => {
        const end = () => {
          open.delete(end);
          if (texts.some((text) => Number(text) < 3)) resolve({ failure: refusal });
          else resolve({ value: texts.map((text) => Float32Array.of(Number(text))) });
        };
        signal?.addEventListener("abort", () => {
          if (open.delete(end)) seen.aborted += 1;
          reject(signal.reason as Error);
        });
        open.add(end);
        seen.most = Math.max(seen.most, open.size);
        seen.largest = Math.max(seen.largest, texts.length);
      });
    const requests = {
      ask,
      limits: () => ({ count, tokens: 1e6, bytes: 1e6 }),
      learnCount: () => undefined,
      errorOf: () => new ApiError(400, "refused"),
    };
    return {
      open,
      seen,
      embedQuery: joinQueries(requests, { log: quiet, metrics: createMetrics(), clock: sleepyClock() }),
    };
  }

  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("ask" as const), which: fc.nat(11) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("turn" as const), which: fc.constant(0) }) },
  );

  test("who stays gets their own vector or their own text's failure, and at most 4 requests are under way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (actions, count) => {
        const { open, seen, embedQuery } = tellable(count);
        const callers: { text: number; controller: AbortController; result: Promise<unknown> }[] = [];
        for (const { kind, which } of actions) {
          if (kind === "ask") {
            const controller = new AbortController();
            const result = embedQuery(String(which), { signal: controller.signal }).then(
              (vector) => vector[0],
              (error: unknown) => (error as Error).message,
            );
            callers.push({ text: which, controller, result });
          } else if (kind === "leave") callers[which]?.controller.abort(new Error("left"));
          else if (kind === "end") [...open][which]?.();
          else await setImmediate();
        }
        await setImmediate();
        while (open.size > 0) {
          for (const end of open) end();
          await setImmediate();
        }
        for (const { text, controller, result } of callers) {
          const fate = await result;
          if (controller.signal.aborted && fate === "left") continue;
          expect(fate).toBe(text < 3 ? "refused" : text);
        }
        expect(seen.most).toBeLessThanOrEqual(4);
        expect(seen.largest).toBeLessThanOrEqual(count);
      }),
      campaign(300),
    );
  });
});
