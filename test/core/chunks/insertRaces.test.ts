import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testDimensions } from "../../support/settings.js";
import { testVector } from "../../support/vectors.js";
import { type TestService, startService } from "../../support/service.js";
import {
  type Row,
  batchPath,
  bytesOf,
  countsOf,
  createStore,
  errorOf,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  storedRows,
  stubLitellm,
} from "../../support/stores.js";

/** Runs during the model call. */
let meanwhile: () => Promise<void> = () => Promise.resolve();
let calls = 0;
const litellm = stubLitellm({
  embed: async (texts) => {
    calls += 1;
    const call = calls;
    await meanwhile();
    // No two calls return the same vector for a text.
    return texts.map((text) => Float32Array.from(testVector(text.length * 1000 + call, testDimensions)));
  },
});

let service: TestService;
beforeAll(async () => {
  service = await startService({ litellm });
});
afterAll(() => service.close());

const during = async <T>(happening: () => Promise<void>, work: () => PromiseLike<T>): Promise<T> => {
  meanwhile = happening;
  try {
    return await work();
  } finally {
    meanwhile = () => Promise.resolve();
  }
};
const post = (storeId: string, embeddings: readonly Row[]) =>
  service.post(batchPath(storeId), { embeddings, return: "ids" });
const unembedded = (rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, embedding: null }));
let prefix = 0;
const named = (count: number) => {
  prefix += 1;
  const own = prefix;
  return rowsOf(count, (seed) => ({ id: `race-${String(own)}-${String(seed)}` }));
};

describe("during the model call", () => {
  test.each([
    ["a store", {}],
    ["a store that would expire", { expires_after: { anchor: "last_active_at", days: 1 } }],
  ])("%s is deleted: the insertion is 404 and leaves nothing behind", async (_, body) => {
    const before = await rowsInTable(service);
    const storeId = await createStore(service, body);
    const answer = await during(
      async () => {
        await service.delete(`/v1/vector_stores/${storeId}`).expect(200);
      },
      () => post(storeId, unembedded(rowsOf(3))),
    );
    expect(answer.status).toBe(404);
    expect(errorOf(answer).code).toBe("not_found");
    expect(await rowsInTable(service)).toBe(before);
  });

  test("the store expires: the insertion is 400 and leaves nothing behind", async () => {
    const storeId = await createStore(service, { expires_after: { anchor: "last_active_at", days: 1 } });
    const answer = await during(
      () => {
        service.advance(2 * 86_400_000);
        return Promise.resolve();
      },
      () => post(storeId, unembedded(rowsOf(3))),
    );
    expect(answer.status).toBe(400);
    expect(errorOf(answer).code).toBe("vector_store_expired");
    expect(await rowsInTable(service, storeId)).toBe(0);
  });

  test("already stored rows are deleted: the answer that all are stored is true", async () => {
    const storeId = await createStore(service);
    const rows = unembedded(named(4));
    await post(storeId, rows.slice(0, 2)).expect(200);
    let once = false;
    const answer = await during(
      async () => {
        if (!once) await service.delete(rowsPath(storeId), { all: true }).expect(200);
        once = true;
      },
      () => post(storeId, rows),
    );
    expect(answer.status).toBe(200);
    expect((await storedRows(service, storeId)).map((row) => row.content)).toEqual(rows.map((row) => row.content));
    expect(await countsOf(service, storeId)).toEqual({ rows: 4, bytes: bytesOf(rows) });
  });

  test("a failing model stores nothing", async () => {
    const storeId = await createStore(service);
    const answer = await during(
      () => Promise.reject(new Error("away")),
      () => post(storeId, [rowOf(1), { content: "x" }]),
    );
    expect(answer.status).toBe(500);
    expect(await rowsInTable(service, storeId)).toBe(0);
  });
});

describe("at the same time", () => {
  test("ten identical batches with ids are stored once, and all get 200", async () => {
    const storeId = await createStore(service);
    const rows = named(50);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(storeId, rows)));
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(await storedRows(service, storeId)).toHaveLength(50);
    expect(await countsOf(service, storeId)).toEqual({ rows: 50, bytes: bytesOf(rows) });
    const added = answers.map((answer) => 50 - (answer.body as { duplicates: number }).duplicates);
    expect(added.reduce((sum, each) => sum + each)).toBe(50);
  });

  test("the same without embeddings, although the model's vectors differ from call to call", async () => {
    const storeId = await createStore(service);
    const rows = unembedded(named(20));
    let waiting = 0;
    let open: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      open = resolve;
    });
    // All ten have looked up their ids before the first one stores anything.
    const answers = await during(
      async () => {
        waiting += 1;
        if (waiting === 10) open();
        await all;
      },
      () => Promise.all(Array.from({ length: 10 }, () => post(storeId, rows))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(await rowsInTable(service, storeId)).toBe(20);
    expect(await countsOf(service, storeId)).toEqual({ rows: 20, bytes: bytesOf(rows) });
  });

  test("batches with the same ids in opposite orders do not deadlock", async () => {
    const storeId = await createStore(service);
    for (let round = 0; round < 5; round += 1) {
      const rows = named(300);
      const turned = [...rows].reverse();
      const answers = await Promise.all([rows, turned, rows, turned].map((each) => post(storeId, each)));
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    }
    expect((await countsOf(service, storeId)).rows).toBe(1500);
  });

  test("counts stay exact under concurrent batches, single rows and deletions", async () => {
    const storeId = await createStore(service);
    const evens = Array.from({ length: 8 }, (_, i) =>
      post(
        storeId,
        rowsOf(30, () => ({ content: `é${String(i)}`, metadata: { even: i % 2 === 0 } })),
      ),
    );
    const singles = Array.from({ length: 10 }, (_, i) => service.post(rowsPath(storeId), rowOf(i)));
    const deletions = Array.from({ length: 6 }, () => service.delete(rowsPath(storeId), { filters: { even: true } }));
    const answers = await Promise.all([...evens, ...singles, ...deletions]);
    expect(answers.map((answer) => answer.status)).toEqual(Array(24).fill(200));
    const stored = await storedRows(service, storeId);
    expect(await countsOf(service, storeId)).toEqual({ rows: stored.length, bytes: bytesOf(stored) });
    await service.delete(rowsPath(storeId), { filters: { even: true } }).expect(200);
    expect(await countsOf(service, storeId)).toEqual({
      rows: 4 * 30 + 10,
      bytes: 4 * 30 * 3 + bytesOf(singles.map((__, i) => rowOf(i))),
    });
  });

  test("a store deleted among batches disappears with all of them: each is 200 or 404, without a deadlock", async () => {
    for (let round = 0; round < 6; round += 1) {
      const storeId = await createStore(service);
      const batches = Array.from({ length: 6 }, () => post(storeId, rowsOf(200)).then((answer) => answer.status));
      const deletion = (async () => {
        await batches[round % 2];
        return (await service.delete(`/v1/vector_stores/${storeId}`)).status;
      })();
      const statuses = await Promise.all(batches);
      expect(await deletion).toBe(200);
      expect(statuses.filter((status) => status !== 200 && status !== 404)).toEqual([]);
      expect(await rowsInTable(service, storeId)).toBe(0);
    }
  });

  test("overlapping deletions remove each row once", async () => {
    const storeId = await createStore(service);
    const rows = named(400);
    await post(storeId, rows).expect(200);
    const ids = rows.map((row) => row.id);
    const answers = await Promise.all(
      [ids, [...ids].reverse(), ids.slice(100), undefined].map((each) =>
        service.delete(rowsPath(storeId), each === undefined ? { all: true } : { ids: each }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    const deleted = answers.map((answer) => (answer.body as { deleted: number }).deleted);
    expect(deleted.reduce((sum, each) => sum + each)).toBe(400);
    expect(await countsOf(service, storeId)).toEqual({ rows: 0, bytes: 0 });
  });
});

describe("with a single database connection", () => {
  test("a model that itself uses the service does not deadlock, for batches and for searches", async () => {
    const query = async () => {
      for (let i = 0; i < 20; i += 1) await small.get(`/v1/vector_stores`).expect(200);
    };
    const small = await startService({
      environment: { DATABASE_POOL_SIZE: "1" },
      litellm: stubLitellm({
        embed: async (texts) => {
          await query();
          return texts.map((text) => Float32Array.from(testVector(text.length, testDimensions)));
        },
        embedQuery: async () => {
          await query();
          return Float32Array.from(testVector(1, testDimensions));
        },
      }),
    });
    try {
      const storeId = await createStore(small);
      const rows = unembedded(named(3));
      await Promise.all(
        [rows, rows, unembedded(rowsOf(2))].map((each) =>
          small.post(batchPath(storeId), { embeddings: each }).expect(200),
        ),
      );
      const answer = await small.post(`/v1/vector_stores/${storeId}/search`, { query: ["a", "b"] }).expect(200);
      expect((answer.body as { data: unknown[] }).data).toHaveLength(5);
    } finally {
      await small.close();
    }
  });
});
