import type { Scope } from "../../../src/words/caller.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  addToCounts,
  deleteStore,
  findStore,
  insertStore,
  lockStore,
  touchStore,
  updateStore,
} from "../../../src/db/tables/stores.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { newStore } from "../../support/stores.js";
import type { Database } from "../../../src/db/database.js";
import type { VectorStore } from "../../../src/words/store.js";
import { canHold } from "../../../src/db/schema/ids.js";
import { listExpiredBefore, listStores } from "../../../src/db/tables/storeList.js";
import { noOwner } from "../../../src/words/caller.js";

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  ({ db } = await database.open());
});
beforeEach(() => database.exec("DELETE FROM vector_stores"));
afterAll(async () => {
  await db.close();
  await database.drop();
});

const day = 86_400_000;
const start = Date.parse("2026-01-31T12:00:00.123Z");
const all: Scope = { kind: "all" };
const ownedBy = (userId: string): Scope => ({
  kind: "held",
  by: { ...noOwner, userId },
  need: "admin",
  onlyStores: null,
});
const plain = newStore();
const daily = { anchor: "last_active_at", days: 1 } as const;
const add = (owner: string | null = null, now = Date.now()) =>
  insertStore(db, plain, { ...noOwner, userId: owner }, now);
const first = { limit: 100, order: "asc", after: null, before: null } as const;
const idsOf = (stores: readonly VectorStore[]) => stores.map((store) => store.id);

describe("the scope of a caller", () => {
  const others: [string, (scope: Scope, id: string) => Promise<unknown>][] = [
    ["find", (scope, id) => findStore(db, scope, id)],
    ["touch", (scope, id) => touchStore(db, scope, id, start + day)],
    ["update", (scope, id) => updateStore(db, scope, id, { name: "changed" }, start + day)],
    ["lock", (scope, id) => db.transaction((tx) => lockStore(tx, scope, id))],
    ["delete", (scope, id) => deleteStore(db, scope, id)],
  ];

  test.each(others)("%s: only the owner's stores are there, and all of them for the server", async (_, act) => {
    for (const [owner, scope, may] of [
      ["alice", ownedBy("alice"), true],
      ["alice", all, true],
      [null, all, true],
      ["alice", ownedBy("bob"), false],
      ["alice", ownedBy(""), false],
      ["alice", ownedBy("ALICE"), false],
      [null, ownedBy("alice"), false],
      ["alice", ownedBy("' OR true --"), false],
    ] as const) {
      const store = await add(owner, start);
      const outcome = await act(scope, store.id);
      expect({ owner, scope, may: outcome !== undefined && outcome !== false }).toEqual({ owner, scope, may });
      if (!may) expect(await findStore(db, all, store.id)).toEqual(store);
    }
  });

  test("list: pages are filled with the owner's stores, whatever is between them", async () => {
    const own: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      const store = await add(i % 3 === 0 ? "alice" : i % 3 === 1 ? "bob" : null, start + i * 1000);
      if (i % 3 === 0) own.push(store.id);
    }
    const page = await listStores(db, ownedBy("alice"), { ...first, limit: 3 });
    expect(page).toMatchObject({ hasMore: true });
    expect(idsOf(page.stores)).toEqual(own.slice(0, 3));
    const after = { id: own[2] ?? "", madeAt: null };
    expect(idsOf((await listStores(db, ownedBy("alice"), { ...first, after })).stores)).toEqual(own.slice(3));
    expect((await listStores(db, ownedBy("nobody"), first)).stores).toEqual([]);
    expect((await listStores(db, all, first)).stores).toHaveLength(12);
  });
});

describe("expiry", () => {
  const expiring = () => insertStore(db, { ...plain, expiresAfter: daily }, noOwner, start);

  test("use moves it by exact days; a clock that is behind does not move the last use back", async () => {
    const { id, expiresAt } = await expiring();
    expect(expiresAt).toBe(start + day);
    expect(await touchStore(db, all, id, start + 5000)).toMatchObject({
      lastActiveAt: start + 5000,
      expiresAt: start + 5000 + day,
    });
    expect(await touchStore(db, all, id, start - 5000)).toMatchObject({
      lastActiveAt: start + 5000,
      expiresAt: start + 5000 + day,
    });
  });

  test("from its moment on a store can no longer be touched or added to, but emptied and updated", async () => {
    const { id } = await expiring();
    const late = start + day;
    const change = { chunks: 2, bytes: 9, dimensions: 8 };
    expect(await addToCounts(db, id, change, { as: "use", now: late - 1 })).toBeDefined();
    expect(await touchStore(db, all, id, late + day)).toBeUndefined();
    expect(await addToCounts(db, id, change, { as: "use", now: late + day })).toBeUndefined();
    expect(
      await addToCounts(db, id, { chunks: -1, bytes: -4, dimensions: null }, { as: "use", now: late + day }),
    ).toBeDefined();
    expect(await findStore(db, all, id)).toMatchObject({ chunkCount: 1, contentBytes: 5 });
    expect(await updateStore(db, all, id, { expiresAfter: null }, late + day)).toMatchObject({ expiresAt: null });
    expect(await touchStore(db, all, id, late + 2 * day)).toBeDefined();
  });

  test("the sweep gets only stores that expired before its moment", async () => {
    const { id } = await expiring();
    await add();
    expect(await listExpiredBefore(db, start + day, 10)).toEqual([]);
    expect(await listExpiredBefore(db, start + day + 1, 10)).toEqual([id]);
  });

  test.each([{ days: "seven" }, { days: 1.5 }, { days: -1 }, { days: 1e12 }, {}, "soon", [7]])(
    "a policy that litellm-pgvector let through (%j) counts as none",
    async (policy) => {
      const { id } = await add();
      await database.query("UPDATE vector_stores SET expires_after = $1::jsonb", [JSON.stringify(policy)]);
      expect(await touchStore(db, all, id, start)).toMatchObject({ expiresAt: null });
      expect(await updateStore(db, all, id, { name: "b" }, start)).toMatchObject({ expiresAt: null, name: "b" });
    },
  );
});

describe("counts", () => {
  test("never fall below zero, also when another program's rows are removed", async () => {
    const { id } = await add();
    expect(
      await addToCounts(db, id, { chunks: -5, bytes: -50, dimensions: null }, { as: "use", now: Date.now() }),
    ).toBeDefined();
    expect(await findStore(db, all, id)).toMatchObject({ chunkCount: 0, contentBytes: 0 });
  });

  test("go beyond 32 bits", async () => {
    const { id } = await add();
    await addToCounts(db, id, { chunks: 1, bytes: 2 ** 40, dimensions: 8 }, { as: "use", now: Date.now() });
    expect(await findStore(db, all, id)).toMatchObject({ contentBytes: 2 ** 40 });
  });
});

test("ids that a column cannot hold are recognised without asking the database", () => {
  const uuid = "09beee6f-ed62-47c6-a161-dea9018a5a40";
  expect([uuid, uuid.toUpperCase(), "vs_1", `${uuid} `, `{${uuid}}`].map((id) => canHold("uuid", id))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  const numbers = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1e3",
    "",
    " 1",
    "+1",
    "0x1",
  ];
  expect(numbers.map((id) => canHold("bigint", id))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(["any text", "ä".repeat(1000), "\0", "x".repeat(1001)].map((id) => canHold("text", id))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
