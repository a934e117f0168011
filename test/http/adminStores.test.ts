import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { errorOf, send } from "./requests.js";

interface Item {
  id: string;
  object: string;
  name: string;
  created_at: number;
  last_active_at: number | null;
  owner: { user_id: string | null; team_id: string | null; key_id: string | null };
  rows: number;
  bytes: number;
  usage_bytes: number;
}
interface Page {
  data: Item[];
  has_more: boolean;
  next_page: string | null;
  totals: { stores: number; rows: number; bytes: number } | null;
}

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.teams.set("red", {});
  litellm.keys.set("sk-ann", { user_id: "ann", team_id: "red" });
  litellm.keys.set("sk-ben", { user_id: "ben" });
  litellm.keys.set("sk-robot", { team_id: "red" });
  litellm.keys.set("sk-alone", {});
  service = await startService({ environment: litellm.environment });
  for (const [i, name] of names.entries()) await create(keyOf(i), name);
  // Some alike, so that ids decide; one that nobody has used, as an adopted table may have it.
  await service.database.exec(`
    UPDATE vector_stores SET chunk_count = length(name) % 5, content_bytes = (length(name) % 3) * 3000000000,
      last_active_at = created_at + (length(name) % 4) * interval '1 day' + interval '1 microsecond';
    UPDATE vector_stores SET last_active_at = NULL WHERE name = 'Zebra'`);
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const long = "x".repeat(250);
const names = ["Zebra", "alpha", "Alpha beta", "ÄPFEL", "äpfel und Birnen", "50% off_", "", "", `${long}1`, `${long}2`];
const keyOf = (i: number) => ["sk-ann", "sk-ben", "sk-robot", "sk-alone", litellm.masterKey][i % 5] ?? "";
const create = async (key: string, name: string) => {
  const { text } = await send(service.url, { path: "/v1/vector_stores", key, body: { name } });
  return (JSON.parse(text) as { id: string }).id;
};
const ask = (query: string) =>
  send(service.url, { method: "GET", path: `/v1/admin/vector_stores?${query}`, key: litellm.masterKey });
const list = async (query = "") => JSON.parse((await ask(query)).text) as Page;

async function walk(query: string): Promise<Item[]> {
  const found: Item[] = [];
  for (let next: string | null = ""; next !== null;) {
    const page: Page = await list(`${query}${next === "" ? "" : `&page=${next}`}`);
    expect(page.has_more).toBe(page.next_page !== null);
    expect(page.totals === null).toBe(next !== "");
    found.push(...page.data);
    next = page.next_page;
  }
  return found;
}
const namesOf = (items: readonly Item[]) => items.map(({ name }) => name).sort();

describe("all vector stores", () => {
  test("come with owner, rows and bytes, and with the sums of all", async () => {
    const { data, totals } = await list("limit=100");
    expect(data).toHaveLength(names.length);
    expect(totals).toEqual({
      stores: names.length,
      rows: data.reduce((sum, { rows }) => sum + rows, 0),
      bytes: data.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    for (const item of data) expect(item).toMatchObject({ object: "vector_store", usage_bytes: item.bytes });
    const owners = data.map(({ owner }) => JSON.stringify(owner)).sort();
    const hash = JSON.parse(owners.find((owner) => !owner.includes('"key_id":null')) ?? "{}") as Item["owner"];
    expect(hash.key_id).toMatch(/^[0-9a-f]{64}$/);
    expect(data.filter(({ owner }) => owner.user_id === "ann" && owner.team_id === "red")).toHaveLength(2);
  });

  const values: Record<string, (item: Item) => number | string> = {
    created_at: ({ created_at }) => created_at,
    last_active_at: ({ last_active_at }) => last_active_at ?? -1,
    bytes: ({ bytes }) => bytes,
    rows: ({ rows }) => rows,
    name: ({ name }) => name.toLowerCase().slice(0, 200),
  };
  const walks = Object.keys(values).flatMap((sort) =>
    ["asc", "desc"].flatMap((order) => [1, 3].map((limit) => ({ sort, order, limit }))),
  );
  test.each(walks)("in the order of $sort $order, $limit at a time, each once", async ({ sort, order, limit }) => {
    const found = await walk(`sort=${sort}&order=${order}&limit=${limit}`);
    expect(new Set(found.map(({ id }) => id)).size).toBe(names.length);
    const value = values[sort] ?? (() => 0);
    // In bytes, as both databases of the tests compare texts.
    const compare = (a: Item, b: Item) =>
      Buffer.compare(key(a), key(b)) || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
    const key = (item: Item) => {
      const each = value(item);
      return Buffer.from(typeof each === "string" ? each : String(each + 1).padStart(20, "0"));
    };
    const sorted = [...found].sort((a, b) => (order === "asc" ? compare(a, b) : compare(b, a)));
    // Ids decide where a whole second is shown but a part of it is sorted by.
    if (sort.endsWith("_at")) expect(found.map(value)).toEqual(sorted.map(value));
    else expect(found).toEqual(sorted);
  });

  test("a page goes on after a store that was changed or deleted since", async () => {
    const first = await list("sort=rows&order=asc&limit=4");
    const gone = await create("sk-ben", "short-lived");
    const page = await list("sort=created_at&order=desc&limit=1");
    expect(page.data[0]?.id).toBe(gone);
    await send(service.url, { method: "DELETE", path: `/v1/vector_stores/${gone}`, key: "sk-ben" });
    const rest = await list(`sort=created_at&order=desc&limit=100&page=${page.next_page ?? ""}`);
    expect(rest.data).toHaveLength(names.length);
    await service.database.query("UPDATE vector_stores SET chunk_count = chunk_count + 100 WHERE id = $1", [
      first.data[3]?.id ?? "",
    ]);
    const ids = (await list(`sort=rows&order=asc&limit=100&page=${first.next_page ?? ""}`)).data.map(({ id }) => id);
    // It is further back now; those that stayed as they are come once.
    expect(ids).toHaveLength(names.length - 3);
    expect(ids.at(-1)).toBe(first.data[3]?.id);
    await service.database.exec("UPDATE vector_stores SET chunk_count = chunk_count - 100 WHERE chunk_count > 99");
  });

  test.each([
    ["alpha", ["Alpha beta", "alpha"]],
    ["ALPHA", ["Alpha beta", "alpha"]],
    ["äPFEL", ["ÄPFEL", "äpfel und Birnen"]],
    ["%", ["50% off_"]],
    ["f_", ["50% off_"]],
    ["nothing", []],
  ])("whose name contains %s", async (name, expected) => {
    const page = await list(`name=${encodeURIComponent(name)}`);
    expect(namesOf(page.data)).toEqual(expected);
    expect(page.totals?.stores).toBe(expected.length);
  });

  test.each<[string, (owner: Item["owner"]) => boolean, number]>([
    ["user:ann", (owner) => owner.user_id === "ann", 2],
    ["team:red", (owner) => owner.team_id === "red", 4],
    ["none", ({ user_id, team_id, key_id }) => user_id === null && team_id === null && key_id === null, 2],
    ["user:nobody", () => true, 0],
  ])("of %s", async (owner, fits, count) => {
    const { data, totals } = await list(`owner=${owner}&limit=100`);
    expect(data).toHaveLength(count);
    expect(data.every((item) => fits(item.owner))).toBe(true);
    expect(totals?.stores).toBe(count);
  });

  test("of a key that belongs to nobody", async () => {
    const hash = (await list("limit=100")).data.find(({ owner }) => owner.key_id !== null)?.owner.key_id ?? "";
    expect((await list(`owner=key:${hash}`)).data).toHaveLength(2);
  });
});

describe("what is refused", () => {
  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each([
    ["sort=size", "sort"],
    ["order=up", "order"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["name=", "name"],
    ["name=%00", "name"],
    ["owner=ann", "owner"],
    ["owner=user:", "owner"],
    ["owner=everyone", "owner"],
    ["owner=none:x", "owner"],
    ["page=x", "page"],
    [`page=${token(["created_at", "desc", "soon", "vs_1"])}`, "page"],
    [`page=${token(["created_at", "desc", null, "vs_1"])}`, "page"],
    [`page=${token(["created_at", "desc", "1", "a\0"])}`, "page"],
    [`page=${token(["created_at", "asc", "1", "vs_1"])}`, "page"],
    [`sort=bytes&page=${token(["rows", "desc", "1", "vs_1"])}`, "page"],
    [`sort=bytes&page=${token(["bytes", "desc", "1e3", "vs_1"])}`, "page"],
    [`sort=name&page=${token(["name", "desc", "a", "vs_1"])}`, "page"],
    [`sort=name&page=${token(["name", "desc", "=\0", "vs_1"])}`, "page"],
    ["after=vs_1", "after"],
  ])("%s", async (query, param) => {
    const answer = await ask(query);
    expect([answer.status, errorOf(answer).param]).toEqual([400, param]);
  });
});
