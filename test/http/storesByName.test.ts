import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as stores from "../../src/core/stores/stores.js";
import type { Caller } from "../../src/words/caller.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, errorOf, storeInput } from "../support/stores.js";
import { user } from "../support/callers.js";
import { fullServer } from "../../src/words/caller.js";

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Page {
  data: { id: string; name: string }[];
  has_more: boolean;
  last_id: string;
}
const list = async (query: string) => (await service.get(`/v1/vector_stores?${query}`).expect(200)).body as Page;
const named = (name: string) => `name=${encodeURIComponent(name)}`;

test("stores are found by their exact name, page by page", async () => {
  const odd = ["docs", "Docs", "docs 2", "docs%", "d_cs", "", "é😀&a=b"];
  for (const name of odd) await createStore(service, { name });
  const three = [];
  for (let i = 0; i < 3; i += 1) three.push(await createStore(service, { name: "same" }));
  for (const name of odd) expect((await list(named(name))).data.map((store) => store.name)).toEqual([name]);
  expect((await list(named("doc"))).data).toEqual([]);
  const first = await list(`${named("same")}&limit=2&order=asc`);
  expect(first).toMatchObject({ data: [{ id: three[0] }, { id: three[1] }], has_more: true });
  const second = await list(`${named("same")}&limit=2&order=asc&after=${first.last_id}`);
  expect(second).toMatchObject({ data: [{ id: three[2] }], has_more: false });
});

test.each([
  ["too long", "x".repeat(257), /at most 256/],
  ["with U+0000", "a\0", /U\+0000/],
])("a name that is %s is 400", async (_, name, message) => {
  const answer = await service.get(`/v1/vector_stores?${named(name)}`).expect(400);
  expect(errorOf(answer)).toMatchObject({ param: "name", message: expect.stringMatching(message) });
});

test("a user finds only their own stores by name", async () => {
  const page = { limit: 10, order: "asc", after: null, before: null, name: "shared" } as const;
  const own = await stores.create(service.deps, user("ann"), storeInput("shared"));
  await stores.create(service.deps, user("ben"), storeInput("shared"));
  const seen = async (caller: Caller) => (await stores.list(service.deps, caller, page)).stores.map(({ id }) => id);
  expect(await seen(user("ann"))).toEqual([own.id]);
  expect(await seen({ kind: "nobody" })).toEqual([]);
  expect(await seen(fullServer)).toHaveLength(2);
});

test("the name has an index", async () => {
  const rows = await service.database.query<{ definition: string }>(
    "SELECT pg_get_indexdef('vector_stores_by_name'::regclass) AS definition",
  );
  expect(rows[0]?.definition).toContain("hash (name)");
});
