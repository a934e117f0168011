import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { ingestNext } from "../../src/core/files/ingest.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.teams.set("red", {});
  litellm.keys.set("sk-ann", { user_id: "ann", team_id: "red" });
  litellm.keys.set("sk-ann-2", { user_id: "ann" });
  litellm.keys.set("sk-ben", { user_id: "=ben" });
  litellm.keys.set("sk-robot", { team_id: "red" });
  service = await startService({ environment: { ...litellm.environment, CHAT_MODEL: "chat" } });
  service.deps.wakeIngestion = () => undefined;
});
beforeEach(async () => {
  await service.deps.usage.flush();
  await service.database.exec("DELETE FROM vector_store_usage_events; DELETE FROM vector_store_usage_days");
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const as = (key: string, method: "get" | "post" | "put", path: string) =>
  request(service.url)[method](`/v1${path}`).set("authorization", `Bearer ${key}`);
interface Sums {
  requests: number;
  failures: number;
  tokens: number;
  duration_ms: number;
}
type Row = Sums & Partial<Record<"day" | "user_id" | "team_id" | "vector_store_id" | "action", string>>;
async function usage(key: string, query: string, path = "/usage") {
  await service.deps.usage.flush();
  return (await as(key, "get", `${path}?${query}`).expect(200)).body as { data: Row[]; totals: Sums };
}
const byAction = ({ data }: { data: Row[] }) =>
  Object.fromEntries(data.map(({ action, requests }) => [action ?? "", requests] as const));

describe("usage", () => {
  test("counts every request of a user, whatever its key, and what it cost", async () => {
    const made = await as("sk-ann", "post", "/vector_stores").send({ name: "a" }).expect(200);
    const store = (made.body as { id: string }).id;
    for (let i = 0; i < 3; i += 1) {
      await as("sk-ann", "post", `/vector_stores/${store}/search`)
        .send({ query: `q${i}` })
        .expect(200);
    }
    await as("sk-ann-2", "post", "/embeddings").send({ input: "a" }).expect(200);
    await as("sk-ann-2", "get", "/vector_stores/vs_unknown").expect(404);
    await as("sk-ben", "get", "/vector_stores").expect(200);
    await as(testKey, "get", "/vector_stores").expect(200);
    const own = await usage("sk-ann-2", "group_by=action,vector_store_id");
    expect(byAction(own)).toEqual({
      createVectorStore: 1,
      searchVectorStore: 3,
      createEmbeddings: 1,
      retrieveVectorStore: 1,
    });
    expect(own.totals).toMatchObject({ requests: 6, failures: 1, tokens: 4 });
    // What somebody made up is no vector store.
    expect(own.data.map(({ vector_store_id }) => vector_store_id).sort()).toEqual(["", "", "", store]);
  });

  test("of a service account is its team's, of a server key its own, and the administrator sees all", async () => {
    for (const key of ["sk-robot", "sk-ann", testKey, litellm.masterKey]) await as(key, "get", "/files").expect(200);
    expect((await usage("sk-robot", "")).totals.requests).toBe(2);
    expect((await usage(testKey, "")).totals.requests).toBe(1);
    const all = await usage(litellm.masterKey, "group_by=user_id,team_id,key_id&action=listFiles", "/admin/usage");
    expect(all.data.map(({ user_id, team_id, requests }) => [user_id, team_id, requests]).sort()).toEqual([
      ["", "", 1],
      ["", "", 1],
      ["", "red", 1],
      ["ann", "red", 1],
    ]);
    expect((await usage(litellm.masterKey, "user_id=ann&action=listFiles", "/admin/usage")).totals.requests).toBe(1);
    expect((await usage(litellm.masterKey, "team_id=red&action=listFiles", "/admin/usage")).totals.requests).toBe(2);
    expect((await usage(litellm.masterKey, "key_id=server&action=listFiles", "/admin/usage")).totals.requests).toBe(1);
  });

  test("has the ingestion of files, for whoever attached them", async () => {
    const made = await as("sk-ann", "post", "/vector_stores").send({ name: "a" }).expect(200);
    const store = (made.body as { id: string }).id;
    const sent = as("sk-ann", "post", `/vector_stores/${store}/upload`).set("prefer", "respond-async");
    await sent.attach("file", Buffer.from("hello"), "a.txt").expect(202);
    await ingestNext(service.deps, "worker", new AbortController().signal);
    const own = await usage("sk-ann", "group_by=action&action=ingestFile");
    expect(own.data).toMatchObject([{ action: "ingestFile", requests: 1, failures: 0, tokens: 1 }]);
  });

  test("is grouped by day in UTC, of the period that is asked for", async () => {
    const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    await as("sk-ben", "get", "/files").expect(200);
    await service.deps.usage.flush();
    await service.database.exec(`UPDATE vector_store_usage_days SET day = day - 2`);
    await as("sk-ben", "get", "/files").expect(200);
    expect((await usage("sk-ben", "action=listFiles")).data.map(({ day: of, requests }) => [of, requests])).toEqual([
      [day(0), 1],
      [day(2), 1],
    ]);
    expect((await usage("sk-ben", `action=listFiles&to=${day(1)}`)).totals.requests).toBe(1);
    expect((await usage("sk-ben", `action=listFiles&from=${day(1)}`)).totals.requests).toBe(1);
  });

  test("comes as CSV, in which no name is a formula", async () => {
    await as("sk-ben", "get", "/files").expect(200);
    await service.deps.usage.flush();
    const path = "/admin/usage?group_by=user_id,action&action=listFiles&format=csv";
    const answer = await as(litellm.masterKey, "get", path)
      .expect(200)
      .expect("content-type", /text\/csv/);
    expect(answer.text).toMatch(
      /^user_id,action,requests,failures,tokens,duration_ms\r\n'=ben,listFiles,1,0,0,\d+\r\n$/,
    );
  });

  test("is written once, even if the answer of the database was lost", async () => {
    const event = {
      id: "use_1",
      at: Date.now(),
      userId: "ann",
      teamId: null,
      keyId: "k",
      storeId: null,
      action: "x",
      tokens: 5,
      durationMs: 1,
      status: 200,
    };
    const { insertUsage } = await import("../../src/db/tables/usage.js");
    await insertUsage(service.db, [event]);
    await insertUsage(service.db, [event, { ...event, id: "use_2", status: 500 }]);
    expect((await usage("sk-ann-2", "action=x")).totals).toMatchObject({ requests: 2, failures: 1, tokens: 10 });
  });

  test("older than USAGE_RETENTION_DAYS is removed", async () => {
    const { sweepUsage } = await import("../../src/core/access/usage.js");
    await as("sk-ben", "get", "/files").expect(200);
    await service.deps.usage.flush();
    await service.database.exec(`
      UPDATE vector_store_usage_events SET at = at - interval '91 days';
      UPDATE vector_store_usage_days SET day = day - 91`);
    await sweepUsage(service.deps, 90);
    expect(await service.database.query("SELECT 1 FROM vector_store_usage_events")).toEqual([]);
    expect(await service.database.query("SELECT 1 FROM vector_store_usage_days")).toEqual([]);
  });

  test.each([
    ["from=yesterday", "from"],
    ["from=2026-02-30", "from"],
    ["from=2026-02-02&to=2026-02-01", "from"],
    ["from=0026-01-01", "from"],
    ["from=2019-12-31&to=2020-01-01", "from"],
    ["to=2019-12-31", "to"],
    ["from=2020-01-01&to=2030-01-08", "from"],
    ["group_by=day,planet", "group_by"],
    ["group_by=day,day", "group_by"],
    ["format=xml", "format"],
    ["user_id=ann", "user_id"],
  ])("%s is 400", async (query, param) => {
    const answer = await as("sk-ann", "get", `/usage?${query}`).expect(400);
    expect((answer.body as { error: { param: string } }).error.param).toBe(param);
  });
});
