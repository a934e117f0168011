import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { setImmediate } from "node:timers/promises";
import { createAccounts } from "../../src/litellm/account.js";
import { ApiError } from "../../src/words/errors.js";
import type { Failure, Outcome } from "../../src/litellm/failures.js";
import { failureOf } from "../../src/litellm/failures.js";
import type { Sending } from "../../src/litellm/gate.js";
import { joinQueries } from "../../src/litellm/joinedQueries.js";
import type { QueryRequests } from "../../src/litellm/queryQueue.js";
import { ownWork } from "../../src/words/caller.js";
import { createMetrics } from "../../src/process/metrics.js";
import { user } from "../support/callers.js";
import { quiet, sleepyClock } from "./support.js";
import { campaign } from "../support/campaign.js";

describe("for any order of events", () => {
  const refusal: Failure = { ...failureOf("network"), kind: "status", status: 400 };
  const accounts = [ownWork, user("ann"), user("bob")].map(createAccounts("sk-service-key"));

  /**
   * Requests end on command; a text below 3 is refused, together with all texts of its request. A vector encodes its
   * account.
   */
  function tellable(count: number) {
    const open = new Map<() => void, string>();
    const seen = { most: 0, largest: 0, aborted: 0 };
    const requested: { account: string; texts: readonly string[] }[] = [];
    const ask = (texts: readonly string[], { account, signal }: Sending) =>
      new Promise<Outcome<Float32Array[]>>((resolve, reject) => {
        const payer = accounts.findIndex((each) => each.id === account.id);
        const end = () => {
          open.delete(end);
          if (texts.some((text) => Number(text) < 3)) resolve({ failure: refusal });
          else resolve({ value: texts.map((text) => Float32Array.of(Number(text), payer)) });
        };
        signal?.addEventListener("abort", () => {
          if (open.delete(end)) seen.aborted += 1;
          reject(signal.reason as Error);
        });
        open.set(end, account.id);
        requested.push({ account: account.id, texts });
        seen.most = Math.max(seen.most, [...open.values()].filter((each) => each === account.id).length);
        seen.largest = Math.max(seen.largest, texts.length);
      });
    const requests: QueryRequests = {
      ask: async (texts, sending) => ({ tokens: 0, ...(await ask(texts, sending)) }),
      limits: () => ({ count, tokens: 1e6, bytes: 1e6 }),
      learnCount: () => undefined,
      errorOf: (_, { account }) => Promise.resolve(new ApiError(400, `refused for ${account.id}`)),
    };
    return {
      open,
      seen,
      requested,
      embedQuery: joinQueries(requests, { log: quiet, metrics: createMetrics(), clock: sleepyClock() }),
    };
  }

  const action = (callers: number) =>
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("ask" as const), which: fc.nat(11), who: fc.nat(callers - 1) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const), which: fc.nat(30) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("end" as const), which: fc.nat(3 * callers) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("turn" as const) }) },
    );

  test.each([1, 3])(
    "with %i accounts, a waiting caller gets their text's vector or failure from their account, and an account has at most 4 requests at once",
    async (count) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(action(count), { maxLength: 60 * count }),
          fc.integer({ min: 1, max: 5 }),
          async (actions, batch) => {
            const { open, seen, requested, embedQuery } = tellable(batch);
            const callers: { text: number; who: number; controller: AbortController; result: Promise<unknown> }[] = [];
            for (const each of actions) {
              if (each.kind === "ask") {
                const { which: text, who } = each;
                const account = accounts[who];
                if (account === undefined) throw new Error("no such account");
                const controller = new AbortController();
                const result = embedQuery(String(text), { account, signal: controller.signal }).then(
                  (vector) => Array.from(vector),
                  (error: unknown) => (error as Error).message,
                );
                callers.push({ text, who, controller, result });
              } else if (each.kind === "leave") callers[each.which]?.controller.abort(new Error("left"));
              else if (each.kind === "end") [...open.keys()][each.which]?.();
              else await setImmediate();
            }
            await setImmediate();
            while (open.size > 0) {
              for (const end of open.keys()) end();
              await setImmediate();
            }
            for (const { text, who, controller, result } of callers) {
              const fate = await result;
              if (controller.signal.aborted && fate === "left") continue;
              expect(fate).toEqual(text < 3 ? `refused for ${accounts[who]?.id}` : [text, who]);
            }
            for (const { account, texts } of requested) {
              const own = callers.filter(({ who }) => accounts[who]?.id === account).map(({ text }) => String(text));
              expect(own).toEqual(expect.arrayContaining([...texts]));
            }
            expect(seen.most).toBeLessThanOrEqual(4);
            expect(seen.largest).toBeLessThanOrEqual(batch);
          },
        ),
        campaign(300),
      );
    },
  );
});
