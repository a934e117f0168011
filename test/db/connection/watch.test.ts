import { describe, expect, test } from "@jest/globals";
import { type Watched, type Word, createWatch } from "../../../src/db/connection/watch.js";
import { createLog } from "../../../src/process/log.js";

/** The looks of a watch on played connections, without a clock: `later` is far beyond every pause. */
function played() {
  let answer: () => Promise<Word> = () => Promise.resolve({ working: new Set() });
  const asked: number[][] = [];
  const watch = createWatch((pids) => {
    asked.push(pids);
    return answer();
  }, createLog("silent"));
  const connection = (pid: number | null) => {
    const state = { bytes: 0, cut: false };
    const on: Watched = {
      pid,
      received: () => state.bytes,
      cut: () => {
        state.cut = true;
      },
    };
    return { state, end: watch.begin(on) };
  };
  const looks = async (times: number) => {
    for (let i = 0; i < times; i += 1) await watch.look(performance.now() + 60_000);
  };
  return {
    watch,
    asked,
    connection,
    looks,
    says: (next: typeof answer) => {
      answer = next;
    },
  };
}

describe("a statement without an answer", () => {
  test("on which the server does not work is cut at the third look, and not before", async () => {
    const { watch, connection, looks, asked } = played();
    const { state } = connection(7);
    await looks(2);
    expect(state.cut).toBe(false);
    await looks(1);
    expect(state.cut).toBe(true);
    expect(asked).toEqual([[7], [7], [7]]);
    watch.close();
  });

  test("on which the server works is left alone, however long it takes", async () => {
    const { watch, connection, looks, says } = played();
    says(() => Promise.resolve({ working: new Set([7]) }));
    const { state } = connection(7);
    await looks(50);
    expect(state.cut).toBe(false);
    watch.close();
  });

  test("is cut at the third look if the server answers nobody", async () => {
    const { watch, connection, looks, says } = played();
    says(() => Promise.reject(new Error("no answer")));
    const { state } = connection(null);
    await looks(2);
    expect(state.cut).toBe(false);
    await looks(1);
    expect(state.cut).toBe(true);
    watch.close();
  });

  test("is left alone while the server answers others, or while bytes arrive", async () => {
    const { watch, connection, looks, says } = played();
    const waiting = connection(7);
    says(() => {
      connection(8).end(true);
      return Promise.reject(new Error("slow"));
    });
    await looks(10);
    expect(waiting.state.cut).toBe(false);
    says(() => Promise.resolve({ working: new Set() }));
    for (let i = 0; i < 10; i += 1) {
      waiting.state.bytes += 1;
      await looks(1);
    }
    expect(waiting.state.cut).toBe(false);
    watch.close();
  });

  test("behind a pooler, whose process numbers mean nothing, is judged only by whether the server answers", async () => {
    const { watch, connection, looks, says } = played();
    says(() => Promise.resolve({ working: null }));
    const { state } = connection(7);
    await looks(10);
    expect(state.cut).toBe(false);
    watch.close();
  });

  test("that is young, or has ended, is not asked about", async () => {
    const { watch, connection, looks, asked } = played();
    const { state, end } = connection(7);
    await watch.look(performance.now());
    end(true);
    await looks(5);
    expect(asked).toEqual([]);
    expect(state.cut).toBe(false);
    watch.close();
  });
});
