import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import request from "supertest";
import { type Ingestion, startIngestion } from "../../src/jobs/ingestion.js";
import { hashTexts } from "../../src/litellm/hashingEmbedder.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, stubLitellm } from "../support/stores.js";
import { testDimensions, testKey } from "../support/settings.js";

let service: TestService;
let store: string;
let ingestion: Ingestion | undefined;
let warnings: string[];
let answer: (texts: readonly string[], signal: AbortSignal | undefined) => Promise<Float32Array[]>;
/** Called with the number of texts requests that are under way. */
let underWay: number;
let most: number;

beforeEach(async () => {
  [warnings, underWay, most, ingestion] = [[], 0, 0, undefined];
  answer = (texts) => hashTexts(texts, testDimensions);
  const litellm = stubLitellm({
    embed: async (texts, { signal }) => {
      underWay += 1;
      most = Math.max(most, underWay);
      try {
        return await answer(texts, signal);
      } finally {
        underWay -= 1;
      }
    },
  });
  service = await startService({ litellm, environment: { INGEST_CONCURRENCY: "2" } });
  // These tests start the job themselves.
  service.deps.wakeIngestion = () => undefined;
  store = await createStore(service);
});
afterEach(async () => {
  jest.useRealTimers();
  await ingestion?.stop();
  await service.close();
});

const start = () => {
  const log = { info: () => undefined, warn: (_about: object, message: string) => warnings.push(message) };
  ingestion = startIngestion({ ...service.deps, log: log as never });
  return ingestion;
};

async function queueFile(name: string): Promise<string> {
  const sent = await request(service.url)
    .post(`/v1/vector_stores/${store}/upload`)
    .set("authorization", `Bearer ${testKey}`)
    .set("prefer", "respond-async")
    .attach("file", Buffer.from(`Words of ${name}.`), name)
    .expect(202);
  return (sent.body as { id: string }).id;
}
const statusOf = async (id: string) =>
  ((await service.get(`/v1/vector_stores/${store}/files/${id}`).expect(200)).body as { status: string }).status;
/** Looks until all files have ended; each look is a request, so others get their turn. */
async function untilCompleted(...ids: string[]): Promise<void> {
  for (const id of ids) while ((await statusOf(id)) === "in_progress");
  expect(await Promise.all(ids.map(statusOf))).toEqual(ids.map(() => "completed"));
}

describe("ingestion in the background", () => {
  test("takes up what was queued before it started, and what it is woken for", async () => {
    const before = await queueFile("before.txt");
    const { wake } = start();
    await untilCompleted(before);
    const after = await queueFile("after.txt");
    wake();
    await untilCompleted(after);
  });

  test("works on INGEST_CONCURRENCY files at once, and on no more", async () => {
    let release = (): void => undefined;
    const both = new Promise<void>((resolve) => (release = resolve));
    answer = async (texts) => {
      if (underWay === 2) release();
      await both;
      return hashTexts(texts, testDimensions);
    };
    const ids = [];
    for (const n of [1, 2, 3, 4]) ids.push(await queueFile(`file${n}.txt`));
    start();
    await untilCompleted(...ids);
    expect(most).toBe(2);
  });

  test("finds what another replica queued at its next look, two seconds later", async () => {
    jest.useFakeTimers({
      doNotFake: ["setInterval", "setImmediate", "nextTick", "queueMicrotask", "Date", "performance"],
    });
    start();
    // Both workers rest.
    while (jest.getTimerCount() < 2) await new Promise((resolve) => setImmediate(resolve));
    const id = await queueFile("other.txt");
    jest.advanceTimersByTime(1999);
    expect(await statusOf(id)).toBe("in_progress");
    jest.advanceTimersByTime(1);
    await untilCompleted(id);
  });

  test("a queue that cannot be read is logged, and looked into again", async () => {
    await service.database.exec("ALTER TABLE vector_store_files RENAME TO away");
    const { wake } = start();
    while (warnings.length < 3) await service.get("/livez").expect(200);
    await service.database.exec("ALTER TABLE away RENAME TO vector_store_files");
    const id = await queueFile("late.txt");
    wake();
    await untilCompleted(id);
  });

  test("stopping gives the file under way back, and the next process completes it", async () => {
    let asked = (): void => undefined;
    const reached = new Promise<void>((resolve) => (asked = resolve));
    answer = (_texts, signal) => {
      asked();
      return new Promise((_, reject) =>
        signal?.addEventListener("abort", () => {
          reject(signal.reason as Error);
        }),
      );
    };
    const id = await queueFile("given-back.txt");
    const first = start();
    await reached;
    await first.stop();
    expect(await statusOf(id)).toBe("in_progress");
    answer = (texts) => hashTexts(texts, testDimensions);
    start();
    await untilCompleted(id);
  });
});
