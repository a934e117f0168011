import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { deleteStore, insertStore } from "../../../src/db/tables/stores.js";
import { idTimestamp } from "../../../src/words/ids.js";
import { type TestDatabase, createTestDatabase } from "../../support/database.js";
import { newStore } from "../../support/stores.js";
import type { Database } from "../../../src/db/database.js";
import type { VectorStore } from "../../../src/words/store.js";
import { type StoreCursor, listStores } from "../../../src/db/tables/storeList.js";
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

const all = { kind: "all" } as const;
const plain = newStore();
/** Made like the service makes them: the id contains the time of creation. */
const add = () => insertStore(db, plain, noOwner, Date.now());
const cursorOf = (id: string): StoreCursor => ({ id, madeAt: idTimestamp(id) });

/** Seeded random numbers: a test that failed fails again. */
function chanceFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
const walks = seeds.flatMap((seed) =>
  (["asc", "desc"] as const).flatMap((order) => (["after", "before"] as const).map((by) => ({ seed, order, by }))),
);

describe("paging through stores while others are made and deleted", () => {
  test.each(walks)(
    "$order by `$by`, seed $seed: neither skips nor repeats a store that was there throughout",
    async ({ seed, order, by }) => {
      const chance = chanceFrom(seed);
      const [stay, go]: [string[], string[]] = [[], []];
      for (let i = 0; i < 24; i += 1) (chance(2) === 0 ? stay : go).push((await add()).id);
      const seen: string[] = [];
      let cursor: StoreCursor | null = null;
      for (let hasMore = true; hasMore;) {
        // `before` walks the list from its end to its beginning.
        const end: StoreCursor = { id: order === "asc" ? "~" : "", madeAt: order === "asc" ? Date.now() + 1e6 : 0 };
        const place = by === "after" ? { after: cursor, before: null } : { after: null, before: cursor ?? end };
        const page = await listStores(db, all, { limit: 1 + chance(5), order, ...place });
        const ids = page.stores.map((store: VectorStore) => store.id);
        seen.push(...(by === "after" ? ids : ids.reverse()));
        hasMore = page.hasMore;
        const last = seen.at(-1);
        cursor = last === undefined ? null : cursorOf(last);
        for (let i = chance(3); i > 0; i -= 1) await add();
        for (let i = chance(3); i > 0; i -= 1) {
          const victim = go.splice(chance(go.length), 1)[0];
          if (victim !== undefined) await deleteStore(db, all, victim);
        }
        // The very store that the next page begins at.
        if (last !== undefined && go.includes(last)) await deleteStore(db, all, last);
        if (seen.length > 500) break;
      }
      const forwards = (order === "asc") === (by === "after");
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => stay.includes(id))).toEqual(forwards ? stay : stay.toReversed());
    },
  );
});

test("stores of the same moment are paged by their ids", async () => {
  const now = Date.now();
  const ids: string[] = [];
  for (let i = 0; i < 20; i += 1) ids.push((await insertStore(db, plain, noOwner, now)).id);
  await database.exec("UPDATE vector_stores SET created_at = now()");
  const seen: string[] = [];
  for (let after: StoreCursor | null = null, more = true; more;) {
    const page = await listStores(db, all, { limit: 3, order: "desc", after, before: null });
    seen.push(...page.stores.map((store) => store.id));
    more = page.hasMore;
    after = cursorOf(seen.at(-1) ?? "");
  }
  expect(seen).toEqual(ids.toReversed());
});

test("a store's created_at is exactly the time in its id", async () => {
  for (let i = 0; i < 50; i += 1) {
    const store = await add();
    expect(store.createdAt).toBe(idTimestamp(store.id));
  }
});

test("a page between two stores, `after` and `before` both", async () => {
  const ids: string[] = [];
  for (let i = 0; i < 10; i += 1) ids.push((await add()).id);
  const [from, to] = [cursorOf(ids[2] ?? ""), cursorOf(ids[7] ?? "")];
  const between = async (order: "asc" | "desc", after: StoreCursor, before: StoreCursor) =>
    (await listStores(db, all, { limit: 100, order, after, before })).stores.map((store) => store.id);
  expect(await between("asc", from, to)).toEqual(ids.slice(3, 7));
  expect(await between("desc", to, from)).toEqual(ids.slice(3, 7).reverse());
});
