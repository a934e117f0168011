import { giveEngine } from "../../support/engine.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import * as stores from "../../../src/core/stores/stores.js";
import { touchStore } from "../../../src/db/tables/stores.js";
import type { Caller } from "../../../src/words/caller.js";
import { type TestService, startService } from "../../support/service.js";
import {
  batchPath,
  bodyOf,
  countsOf,
  createStore,
  rowOf,
  rowsInTable,
  rowsOf,
  rowsPath,
  storeInput,
  stubLitellm,
} from "../../support/stores.js";
import { sweepExpired } from "../../../src/core/stores/expire.js";
import { user } from "../../support/callers.js";
import { fullServer } from "../../../src/words/caller.js";

const day = 86_400_000;
const expiring = (days: number) => ({ expires_after: { anchor: "last_active_at", days } });
const litellm = stubLitellm({
  embedQuery: (text) => Promise.resolve(Float32Array.from(JSON.parse(text) as number[])),
});

let service: TestService;
beforeAll(async () => {
  service = await startService({ litellm, environment: { EXPIRED_STORE_RETENTION_DAYS: "7" } });
});
afterAll(() => service.close());

interface Store {
  status: string;
  last_active_at: number;
  expires_at: number | null;
}
const read = async (storeId: string) => (await service.get(`/v1/vector_stores/${storeId}`).expect(200)).body as Store;
const search = (storeId: string, query: number[] | number[][], more: object = {}) => {
  const texts = Array.isArray(query[0]) ? query.map((each) => JSON.stringify(each)) : JSON.stringify(query);
  return service.post(`/v1/vector_stores/${storeId}/search`, { query: texts, ...more });
};
const unit = (axis: number, value = 1) => Array.from({ length: 8 }, (_, i) => (i === axis ? value : 0));

describe("the sweep of expired stores", () => {
  beforeEach(async () => {
    await service.database.exec("DELETE FROM vector_stores");
  });

  test("removes stores that expired longer ago than the retention, with their rows, and nothing else", async () => {
    const [old, recent, forever] = [
      await createStore(service, expiring(1)),
      await createStore(service, expiring(3)),
      await createStore(service),
    ];
    for (const id of [old, recent, forever]) await service.post(batchPath(id), { embeddings: rowsOf(3) }).expect(200);
    expect(await sweepExpired(service.deps)).toBe(0);
    // One day until it expires plus seven; the other one expired only five days ago.
    service.advance(8 * day - 60_000);
    expect(await sweepExpired(service.deps)).toBe(0);
    service.advance(2 * 60_000);
    expect(await sweepExpired(service.deps)).toBe(1);
    await service.get(`/v1/vector_stores/${old}`).expect(404);
    expect(await rowsInTable(service, old)).toBe(0);
    expect((await read(recent)).status).toBe("expired");
    expect(await countsOf(service, recent)).toEqual({ rows: 3, bytes: 15 });
    expect(await rowsInTable(service, recent)).toBe(3);
    expect(await rowsInTable(service, forever)).toBe(3);
    expect(await sweepExpired(service.deps)).toBe(0);
  });

  test("a store that was brought back before the sweep, or is in use, stays", async () => {
    const [revived, used] = [await createStore(service, expiring(1)), await createStore(service, expiring(10))];
    service.advance(8 * day);
    await search(used, unit(0)).expect(200);
    service.advance(day);
    await service.post(`/v1/vector_stores/${revived}`, { name: "back" }).expect(200);
    expect(await sweepExpired(service.deps)).toBe(0);
    expect((await read(revived)).status).toBe("completed");
    expect((await read(used)).status).toBe("completed");
  });

  test("a store brought back between listing and removal stays", async () => {
    const first = await createStore(service, expiring(1));
    const second = await createStore(service, expiring(1));
    service.advance(9 * day);
    const { db } = service.deps;
    let revived = "";
    // The sweep has its list when its first transaction begins: now update the other store.
    const transaction: typeof db.transaction = async (work) => {
      if (revived === "") {
        revived = second;
        const body = await bodyOf(service.get("/v1/vector_stores?order=asc").expect(200));
        expect((body as { data: { id: string }[] }).data.map((store) => store.id)).toEqual([first, second]);
        await service.post(`/v1/vector_stores/${first}`, { name: "back" }).expect(200);
        await service.post(`/v1/vector_stores/${second}`, { name: "back" }).expect(200);
      }
      return db.transaction(work);
    };
    giveEngine(service, { db: { ...db, transaction } });
    expect(await sweepExpired(service.deps)).toBe(0);
    giveEngine(service);
    expect((await read(first)).status).toBe("completed");
    expect((await read(second)).status).toBe("completed");
  });

  test("removes more stores than one page lists", async () => {
    await Promise.all(Array.from({ length: 205 }, () => createStore(service, expiring(1))));
    const kept = await createStore(service);
    service.advance(9 * day);
    expect(await sweepExpired(service.deps)).toBe(205);
    const body = await bodyOf(service.get("/v1/vector_stores").expect(200));
    expect((body as { data: { id: string }[] }).data.map((store) => store.id)).toEqual([kept]);
  });

  test("two concurrent sweeps count every store once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => createStore(service, expiring(1))));
    service.advance(9 * day);
    const counts = await Promise.all([sweepExpired(service.deps), sweepExpired(service.deps)]);
    expect(counts.reduce((sum, each) => sum + each)).toBe(20);
  });
});

describe("the mark of use", () => {
  test("is set by searches and writes, even without results, and not by reading", async () => {
    const storeId = await createStore(service, expiring(5));
    const uses: (() => PromiseLike<unknown>)[] = [
      () => search(storeId, unit(0)).expect(200),
      () => service.post(rowsPath(storeId), rowOf(1)).expect(200),
      () => service.post(batchPath(storeId), { embeddings: rowsOf(2) }).expect(200),
      () => service.delete(rowsPath(storeId), { ids: ["nothing"] }).expect(200),
    ];
    for (const use of uses) {
      const before = await read(storeId);
      service.advance(day);
      await service.get(rowsPath(storeId)).expect(200);
      expect(await read(storeId)).toEqual(before);
      await use();
      const after = await read(storeId);
      expect(after.last_active_at).toBeGreaterThanOrEqual(before.last_active_at + day / 1000);
      expect(after.expires_at).toBe(after.last_active_at + 5 * 86_400);
    }
  });

  test("is written at most once per second for each caller", async () => {
    const owner: Caller = user("alice");
    const { id: storeId } = await stores.create(service.deps, owner, storeInput(""));
    await service.database.exec("CREATE TABLE marks (n int)");
    await service.database.exec(`
      CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO marks VALUES (1); RETURN NULL; END $$;
      CREATE TRIGGER marks AFTER UPDATE ON vector_stores FOR EACH ROW EXECUTE FUNCTION mark()`);
    const marks = async () => (await service.database.query("SELECT n FROM marks")).length;
    const moment = Date.now() + 100 * day;
    const clock = { ...service.deps, now: () => moment };
    const callers: Caller[] = [fullServer, owner];
    for (let i = 0; i < 5; i += 1) for (const caller of callers) await stores.use(clock, caller, storeId, "read");
    expect(await marks()).toBe(2);
    for (const caller of callers) await stores.use({ ...clock, now: () => moment + 999 }, caller, storeId, "read");
    expect(await marks()).toBe(2);
    await stores.use({ ...clock, now: () => moment + 1000 }, fullServer, storeId, "read");
    expect(await marks()).toBe(3);
    await service.database.exec("DROP TRIGGER marks ON vector_stores");
  });

  test("within that second a deleted store is 404, and an expired one is refused", async () => {
    const [gone, stale] = [await createStore(service), await createStore(service, expiring(1))];
    await search(gone, unit(0)).expect(200);
    await search(stale, unit(0)).expect(200);
    await service.delete(`/v1/vector_stores/${gone}`).expect(200);
    await search(gone, unit(0)).expect(404);
    await service.database.exec(`UPDATE vector_stores SET expires_at = now() - interval '1 day' WHERE id = '${stale}'`);
    await search(stale, unit(0)).expect(400);
  });
});

describe("several queries in one search", () => {
  const hitsOf = async (request: ReturnType<typeof search>) => {
    const body = await bodyOf(request.expect(200));
    return (body as { data: { score: number; content: { text: string }[] }[] }).data.map(
      (hit) => [hit.content[0]?.text ?? "", Number(hit.score.toFixed(3))] as const,
    );
  };
  let storeId: string;
  beforeAll(async () => {
    storeId = await createStore(service);
    const rows = [
      { content: "x", embedding: unit(0) },
      { content: "y", embedding: unit(1) },
      { content: "x and y", embedding: [3, 4, 0, 0, 0, 0, 0, 0] },
      { content: "against x", embedding: unit(0, -1) },
      { content: "elsewhere", embedding: unit(5) },
    ];
    await service.post(batchPath(storeId), { embeddings: rows }).expect(200);
  });

  test("every chunk appears once, with its best score, best first", async () => {
    const both = await hitsOf(search(storeId, [unit(0), unit(1)]));
    expect(both.slice(0, 3)).toEqual([
      ["x", 1],
      ["y", 1],
      ["x and y", 0.9],
    ]);
    expect(new Map(both)).toEqual(
      new Map([
        ["x", 1],
        ["y", 1],
        ["x and y", 0.9],
        ["against x", 0.5],
        ["elsewhere", 0.5],
      ]),
    );
    expect(both).toHaveLength(5);
  });

  test("the order of the queries changes no score", async () => {
    const turned = await hitsOf(search(storeId, [unit(1), unit(0)]));
    expect(new Map(turned)).toEqual(new Map(await hitsOf(search(storeId, [unit(0), unit(1)]))));
    expect(turned.map(([, score]) => score)).toEqual([1, 1, 0.9, 0.5, 0.5]);
  });

  test("the limit applies to all queries together, the threshold to the best score", async () => {
    expect(await hitsOf(search(storeId, [unit(0), [3, 4, 0, 0, 0, 0, 0, 0]], { max_num_results: 2 }))).toEqual([
      ["x", 1],
      ["x and y", 1],
    ]);
    const far = await hitsOf(search(storeId, [unit(0), unit(5)], { ranking_options: { score_threshold: 0.85 } }));
    expect(far).toEqual([
      ["x", 1],
      ["elsewhere", 1],
    ]);
  });

  test("one query in an array is one query", async () => {
    const single = await search(storeId, [unit(0)]).expect(200);
    const plain = await search(storeId, unit(0)).expect(200);
    expect((single.body as { data: unknown }).data).toEqual((plain.body as { data: unknown }).data);
    expect(single.body).toMatchObject({ search_query: [JSON.stringify(unit(0))] });
  });
});

test("the mark of use is visible at once without waiting for the disk; later writes do wait", async () => {
  const { id } = (await service.post("/v1/vector_stores", expiring(5)).expect(200)).body as { id: string };
  const later = service.deps.now() + day;
  const { db } = service;
  const waits = async () =>
    (await sql<{ value: string }>`SELECT current_setting('synchronous_commit') AS value`.execute(db.run)).rows[0]
      ?.value;
  const before = await waits();
  const marked = await touchStore(db, { kind: "all" }, id, later);
  expect(marked).toMatchObject({ id, lastActiveAt: later, expiresAt: later + 5 * day });
  const { rows } = await sql<{ at: number }>`
    SELECT extract(epoch FROM last_active_at)::float8 * 1000 AS at FROM ${db.layout.vectorStores.table} WHERE id = ${id}`.execute(
    db.run,
  );
  expect(rows[0]?.at).toBeCloseTo(later, 0);
  // On every connection of the pool, including the one that set the mark.
  expect(new Set(await Promise.all(Array.from({ length: 10 }, waits)))).toEqual(new Set([before]));
});
