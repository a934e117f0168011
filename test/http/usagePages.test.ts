import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { send } from "./requests.js";

/** More sums than one answer holds. */

let litellm: FakeLitellm;
let service: TestService;
const users = 50_000;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  service = await startService({ environment: litellm.environment });
  await service.database.exec(`
    INSERT INTO vector_store_usage_days (day, user_id, team_id, key_id, vector_store_id, action, requests, failures, tokens, duration_ms)
    SELECT date '2026-01-01' + i % 3, 'user ' || i, '', 'k', '', CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, 1 + i % 7, 0, 2, 3
    FROM generate_series(1, ${users}) AS i`);
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

interface Page {
  data: { day?: string; user_id?: string; action?: string; requests: number }[];
  totals: { requests: number; tokens: number };
  has_more: boolean;
  next_page: string | null;
}
const period = "from=2026-01-01&to=2026-01-31";
const ask = (query: string) =>
  send(service.url, { method: "GET", path: `/v1/admin/usage?${period}&${query}`, key: litellm.masterKey });
async function page(query: string): Promise<Page> {
  const answer = await ask(query);
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Page;
}
async function all(query: string, between: () => Promise<unknown> = () => Promise.resolve()): Promise<Page[]> {
  const pages: Page[] = [];
  for (let next: string | null = ""; next !== null; next = pages.at(-1)?.next_page ?? null) {
    pages.push(await page(query + (next === "" ? "" : `&page=${next}`)));
    await between();
  }
  return pages;
}
const total = Array.from({ length: users }, (_, i) => 1 + ((i + 1) % 7)).reduce((sum, each) => sum + each);

describe("usage of more groups than an answer holds", () => {
  test("comes as JSON in pages, the largest first, with the totals of all", async () => {
    const pages = await all("group_by=user_id&limit=10000");
    expect(pages.map(({ data, has_more }) => [data.length, has_more])).toEqual([
      ...Array.from({ length: 4 }, () => [10_000, true]),
      [10_000, false],
    ]);
    for (const { totals } of pages) expect(totals).toMatchObject({ requests: total, tokens: 2 * users });
    const rows = pages.flatMap(({ data }) => data);
    expect(new Set(rows.map(({ user_id }) => user_id)).size).toBe(users);
    expect(rows.reduce((sum, { requests }) => sum + requests, 0)).toBe(total);
    expect(rows.every(({ requests }, i) => requests <= (rows[i - 1]?.requests ?? Infinity))).toBe(true);
  });

  test("has 1,000 rows without a limit, within each day the largest first", async () => {
    const first = await page("group_by=action,day,user_id");
    expect(first.data).toHaveLength(1000);
    const pages = await all("group_by=action,day,user_id&limit=7000");
    const rows = pages.flatMap(({ data }) => data);
    expect(rows).toHaveLength(users);
    const keys = rows.map(({ day, requests, action }) => `${day ?? ""} ${requests} ${action === "a" ? 1 : 0}`);
    expect(keys).toEqual([...keys].sort().reverse());
  });

  test("comes as CSV in full", async () => {
    const answer = await ask("group_by=user_id&format=csv");
    const lines = answer.text.split("\r\n");
    expect(lines[0]).toBe("user_id,requests,failures,tokens,duration_ms");
    expect(lines.pop()).toBe("");
    expect(new Set(lines).size).toBe(users + 1);
    expect(answer.headers["content-disposition"]).toBe('attachment; filename="usage.csv"');
  });

  test("comes as CSV with its header where there is nothing", async () => {
    const answer = await ask("group_by=action&format=csv&user_id=nobody");
    expect(answer.text).toBe("action,requests,failures,tokens,duration_ms\r\n");
  });

  test("repeats no row that stays as it is while others are counted on", async () => {
    let next = 0;
    const pages = await all("group_by=user_id&action=a&limit=9000", async () => {
      next += 1;
      await service.database.exec(`
        UPDATE vector_store_usage_days SET requests = requests + 10 WHERE user_id IN ('user ${14 * next}')`);
    });
    const names = pages.flatMap(({ data }) => data.map(({ user_id }) => user_id));
    expect(new Set(names).size).toBeGreaterThanOrEqual(users / 2 - next);
    expect(names.length - new Set(names).size).toBeLessThanOrEqual(next);
  });

  test.each([
    ["group_by=user_id&page=x", "page", "is not a next_page"],
    ["group_by=action&page=OTHER", "page", "of another list"],
    ["group_by=user_id&action=a&page=OTHER", "page", "of another list"],
    ["group_by=user_id&format=csv&page=x", "page", "CSV"],
    ["group_by=user_id&format=csv&limit=5", "limit", "CSV"],
    ["group_by=user_id&limit=0", "limit", "at least 1"],
    ["group_by=user_id&limit=10001", "limit", "at most 10000"],
  ])("%s is 400", async (query, param, message) => {
    const { next_page: other } = await page("group_by=user_id&limit=1");
    const answer = await ask(query.replace("OTHER", other ?? ""));
    expect(answer.status).toBe(400);
    const { error } = JSON.parse(answer.text) as { error: { param: string; message: string } };
    expect(error.param).toBe(param);
    expect(error.message).toContain(message);
  });
});
