import { afterEach, describe, expect, test } from "@jest/globals";
import { errorOf } from "./requests.js";
import { parsed, start, stop } from "./sessionsSupport.js";

afterEach(stop);

interface Page {
  data: { id: string; name: string; owner: { user_id: string | null }; rows: number }[];
  next_page: string | null;
  totals: { stores: number; rows: number; bytes: number } | null;
}

async function filled() {
  const started = await start();
  const { ask, litellm, service } = started;
  const list = async (key: string, query = "") => parsed(await ask(key, "GET", `/me/vector_stores?${query}`)) as Page;
  const namesOf = async (key: string, query?: string) => (await list(key, query)).data.map(({ name }) => name);
  const create = async (key: string, name: string) =>
    (parsed(await ask(key, "POST", "/vector_stores", { name })) as { id: string }).id;
  const ids: Record<string, string> = {};
  for (const [key, name] of [
    ["sk-ann", "ann's first"],
    ["sk-ann", "ann's second"],
    ["sk-ben", "ben's, granted"],
    ["sk-ben", "ben's own"],
    ["sk-robot", "the team's"],
  ] as const) {
    ids[name] = await create(key, name);
  }
  await ask("sk-ben", "PUT", `/vector_stores/${ids["ben's, granted"]}/permissions/user:ann`, { permission: "read" });
  await service.database.exec("UPDATE vector_stores SET chunk_count = length(name), content_bytes = length(name)");
  return { ...started, list, namesOf, ids, litellm };
}

describe("the stores that somebody may use", () => {
  test("are own and granted ones, with their sums, in any order, by pages", async () => {
    const { list, namesOf, litellm, ids } = await filled();
    const first = await list("sk-ann", "sort=name&order=asc&limit=2");
    expect(first.data.map(({ name, owner, rows }) => [name, owner.user_id, rows])).toEqual([
      ["ann's first", "ann", 11],
      ["ann's second", "ann", 12],
    ]);
    expect(first.totals).toEqual({ stores: 3, rows: 37, bytes: 37 });
    const second = await list("sk-ann", `sort=name&order=asc&limit=2&page=${first.next_page ?? ""}`);
    expect([second.data.map(({ name }) => name), second.next_page, second.totals]).toEqual([
      ["ben's, granted"],
      null,
      null,
    ]);
    expect(await namesOf("sk-ann", "sort=rows")).toEqual(["ben's, granted", "ann's second", "ann's first"]);
    expect(await namesOf("sk-ann", "name=BEN")).toEqual(["ben's, granted"]);
    expect(await namesOf("sk-ann", "owner=user:ben")).toEqual(["ben's, granted"]);
    expect(await namesOf("sk-ann", "owner=none")).toEqual([]);
    expect(await namesOf("sk-ann", `id=${ids["ben's, granted"]}`)).toEqual(["ben's, granted"]);
    for (const unknown of [ids["ben's own"], "vs_unknown", "%F0%9F%98%80"]) {
      expect(await namesOf("sk-ann", `id=${unknown}`)).toEqual([]);
    }
    expect(await namesOf("sk-robot")).toEqual(["the team's"]);
    for (const key of [litellm.masterKey, "sk-max", "sk-vera"]) expect(await namesOf(key)).toHaveLength(5);
  });

  test("end with a permission, and at a store's removal", async () => {
    const { ask, namesOf, list, ids } = await filled();
    await ask("sk-ben", "DELETE", `/vector_stores/${ids["ben's, granted"]}/permissions/user:ann`);
    await ask("sk-ann", "DELETE", `/vector_stores/${ids["ann's first"]}`);
    expect(await namesOf("sk-ann")).toEqual(["ann's second"]);
    expect((await list("sk-ann")).totals?.stores).toBe(1);
  });

  test("are those that its lists name, for a key that LiteLLM or an administrator limits", async () => {
    const { namesOf, list, litellm, makeKey, ids } = await filled();
    const allowed = [ids["ann's second"] ?? "", ids["ben's own"] ?? ""];
    litellm.keys.set("sk-some", { user_id: "ann", object_permission: { vector_stores: allowed } });
    expect(await namesOf("sk-some")).toEqual(["ann's second"]);
    expect((await list("sk-some")).totals?.stores).toBe(1);
    const { key } = await makeKey({ name: "limited", scope: "read", vector_store_ids: allowed });
    expect((await namesOf(key)).sort()).toEqual(["ann's second", "ben's own"]);
    expect((await list(key)).totals?.stores).toBe(2);
  });

  test("are not continued with the page of another order", async () => {
    const { list, ask } = await filled();
    const { next_page: next } = await list("sk-ann", "sort=name&limit=1");
    const answer = await ask("sk-ann", "GET", `/me/vector_stores?sort=rows&limit=1&page=${next ?? ""}`);
    expect([answer.status, errorOf(answer).param]).toEqual([400, "page"]);
  });
});
