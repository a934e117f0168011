import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { campaign } from "../support/campaign.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { until } from "../support/httpClient.js";
import { type Sent, send } from "./requests.js";

/**
 * Two tenants do the same things at once, with the same names of things, and also ask for what is the other's. Whatever
 * they do, no answer holds a word, an id or a count of the other.
 */

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  service = await startService({ environment: { ...litellm.environment, CHAT_MODEL: "chat" } });
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

interface Tenant {
  key: string;
  /** A word that stands in everything that the tenant writes. */
  mark: string;
  stores: string[];
  rows: string[];
  files: string[];
  batches: string[];
  keptStores: number;
  requests: number;
}
type Kind = "stores" | "rows" | "files" | "batches";
const kinds = ["stores", "rows", "files", "batches"] as const;

let tenants = 0;
function newTenant(): Tenant {
  tenants += 1;
  const mark = `mark${tenants}z${Math.random().toString(36).slice(2)}`;
  litellm.keys.set(`sk-${mark}`, { user_id: `user-${mark}`, team_id: `team-${mark}` });
  litellm.teams.set(`team-${mark}`, {});
  return { key: `sk-${mark}`, mark, stores: [], rows: [], files: [], batches: [], keptStores: 0, requests: 0 };
}

/** The id of something of this kind; if there is none yet, one that nothing has. */
type Pick = (kind: Kind) => string;
type Action = (mark: string, pick: Pick) => Sent & { makes?: Kind };

const form = (fields: Record<string, string>, text: string) => ({
  headers: { "content-type": "multipart/form-data; boundary=b" },
  body:
    Object.entries(fields)
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join("") +
    `--b\r\nContent-Disposition: form-data; name="file"; filename="notes.txt"\r\n\r\n${text}\r\n--b--\r\n`,
});
const inStore = (pick: Pick, rest = "") => `/vector_stores/${pick("stores")}${rest}`;
const filter = { type: "ne", key: "colour", value: "none" };

const actions: Record<string, Action> = {
  createStore: (mark) => ({
    path: "/vector_stores",
    body: { name: "notes", description: mark, metadata: { owner: mark } },
    makes: "stores",
  }),
  storeOfFile: (_, pick) => ({
    path: "/vector_stores",
    body: { name: "notes", file_ids: [pick("files")] },
    makes: "stores",
  }),
  listStores: (_, pick) => ({ method: "GET", path: `/vector_stores?limit=3&after=${pick("stores")}` }),
  storesByName: () => ({ method: "GET", path: "/vector_stores?name=notes&limit=100" }),
  retrieveStore: (_, pick) => ({ method: "GET", path: inStore(pick) }),
  updateStore: (mark, pick) => ({ path: inStore(pick), body: { description: `again ${mark}` } }),
  deleteStore: (_, pick) => ({ method: "DELETE", path: inStore(pick) }),
  insert: (mark, pick) => ({
    path: inStore(pick, "/embeddings"),
    body: { content: `a shared thought of ${mark}`, metadata: { colour: "red", [mark]: mark } },
    makes: "rows",
  }),
  insertMany: (mark, pick) => ({
    path: inStore(pick, "/embeddings/batch"),
    body: { embeddings: [1, 2].map((n) => ({ content: `thought ${n} of ${mark}`, metadata: { colour: "blue" } })) },
  }),
  listRows: (_, pick) => ({ method: "GET", path: inStore(pick, `/embeddings?after=${pick("rows")}`) }),
  readRow: (_, pick) => ({ method: "GET", path: inStore(pick, `/embeddings/${pick("rows")}`) }),
  changeRow: (mark, pick) => ({
    method: "PATCH",
    path: inStore(pick, `/embeddings/${pick("rows")}`),
    body: { content: `changed by ${mark}` },
  }),
  deleteRow: (_, pick) => ({ method: "DELETE", path: inStore(pick, `/embeddings/${pick("rows")}`) }),
  deleteRows: (_, pick) => ({ method: "DELETE", path: inStore(pick, "/embeddings"), body: { ids: [pick("rows")] } }),
  deleteFiltered: (_, pick) => ({
    method: "DELETE",
    path: inStore(pick, "/embeddings"),
    body: { filters: { type: "eq", key: "colour", value: "blue" } },
  }),
  // The same query of both: its vector is made once and kept.
  search: (_, pick) => ({ path: inStore(pick, "/search"), body: { query: "a shared thought", filters: filter } }),
  searchHybrid: (_, pick) => ({ path: inStore(pick, "/search"), body: { query: "thought", search_mode: "hybrid" } }),
  searchLike: (_, pick) => ({ path: inStore(pick, "/search"), body: { like: pick("rows") } }),
  rerank: (_, pick) => ({ path: "/rerank", body: { query: "thought", vector_store_id: pick("stores") } }),
  ask: (_, pick) => ({ path: "/rag", body: { query: "a shared thought", vector_store_ids: [pick("stores")] } }),
  createFile: (mark) => ({ path: "/files", ...form({ purpose: "assistants" }, `file of ${mark}`), makes: "files" }),
  listFiles: (_, pick) => ({ method: "GET", path: `/files?limit=3&after=${pick("files")}` }),
  readFile: (_, pick) => ({ method: "GET", path: `/files/${pick("files")}/content` }),
  deleteFile: (_, pick) => ({ method: "DELETE", path: `/files/${pick("files")}` }),
  attach: (mark, pick) => ({
    path: inStore(pick, "/files"),
    body: { file_id: pick("files"), attributes: { colour: mark } },
  }),
  upload: (mark, pick) => ({ path: inStore(pick, "/upload"), ...form({ replace: "true" }, `upload of ${mark}`) }),
  attachMany: (_, pick) => ({
    path: inStore(pick, "/file_batches"),
    body: { file_ids: [pick("files")] },
    makes: "batches",
  }),
  readBatch: (_, pick) => ({ method: "GET", path: inStore(pick, `/file_batches/${pick("batches")}/files`) }),
  storeFiles: (_, pick) => ({ method: "GET", path: inStore(pick, `/files?after=${pick("files")}`) }),
  storeFile: (_, pick) => ({ method: "GET", path: inStore(pick, `/files/${pick("files")}/content`) }),
  detach: (_, pick) => ({ method: "DELETE", path: inStore(pick, `/files/${pick("files")}`) }),
  permissions: (_, pick) => ({ method: "GET", path: inStore(pick, "/permissions") }),
  share: (_, pick) => ({
    method: "PUT",
    path: inStore(pick, "/permissions/user:nobody"),
    body: { permission: "read" },
  }),
  usage: () => ({ method: "GET", path: "/usage?group_by=action,vector_store_id" }),
  limits: () => ({ method: "GET", path: "/limits" }),
  models: () => ({ method: "GET", path: "/models" }),
  adminKeys: () => ({ method: "GET", path: "/admin/keys" }),
};

interface Step {
  /** 0 or 1. */
  who: number;
  name: string;
  chosen: number;
  /** Which of the things are the other's. */
  foreign: Kind[];
}
const step: fc.Arbitrary<Step> = fc.record({
  who: fc.integer({ min: 0, max: 1 }),
  name: fc.constantFrom(...Object.keys(actions)),
  chosen: fc.nat(1000),
  foreign: fc.subarray([...kinds]),
});

/** Everything of a tenant that nobody else may see. */
const secretsOf = ({ mark, stores, rows, files, batches }: Tenant) => [mark, ...stores, ...rows, ...files, ...batches];

async function act(me: Tenant, other: Tenant, { name, chosen, foreign }: Step): Promise<void> {
  const pick: Pick = (kind) => {
    const things = (foreign.includes(kind) ? other : me)[kind];
    return things[chosen % Math.max(1, things.length)] ?? "vs_00000000000070008000000000000000";
  };
  const { makes, ...sent } = actions[name]?.(me.mark, pick) ?? { path: "/" };
  const answer = await send(service.url, { ...sent, path: `/v1${sent.path}`, key: me.key });
  me.requests += 1;
  expect({ name, status: answer.status < 500 }).toEqual({ name, status: true });
  const said = `${sent.path} ${typeof sent.body === "string" ? sent.body : JSON.stringify(sent.body ?? "")}`;
  const heard = `${JSON.stringify(answer.headers)} ${answer.text}`;
  const leaked = secretsOf(other).filter((secret) => heard.includes(secret) && !said.includes(secret));
  expect({ name, foreign, leaked, status: answer.status }).toEqual({
    name,
    foreign,
    leaked: [],
    status: answer.status,
  });
  const body = answer.status === 200 && makes !== undefined ? (JSON.parse(answer.text) as { id: string }) : null;
  if (body !== null && makes !== undefined) me[makes].push(body.id);
  if (body !== null && makes === "stores") me.keptStores += 1;
  if (name === "deleteStore" && answer.status === 200) me.keptStores -= 1;
}

/** What a tenant sees at the end is its own, all of it. */
async function expectWhole(me: Tenant, other: Tenant): Promise<void> {
  const get = async (path: string) => {
    me.requests += 1;
    return JSON.parse((await send(service.url, { method: "GET", path, key: me.key })).text) as unknown;
  };
  const { data } = (await get("/v1/vector_stores?limit=100")) as { data: { id: string; description: string }[] };
  expect(data).toHaveLength(me.keptStores);
  // A request is recorded once its connection has taken the answer, which may be after the client has it.
  await until("exactly the tenant's own requests to be recorded", async () => {
    await service.deps.usage.flush();
    const before = me.requests;
    const { data: sums } = (await get("/v1/usage?group_by=action")) as { data: { action: string; requests: number }[] };
    const asked = sums.filter(({ action }) => action !== "ingestFile");
    return asked.reduce((sum, { requests }) => sum + requests, 0) === before ? true : null;
  });
  const open = await send(service.url, { method: "GET", path: "/metrics", key: null });
  const health = await send(service.url, { method: "GET", path: "/health", key: null });
  const text = open.text + health.text;
  expect([...secretsOf(me), ...secretsOf(other)].filter((secret) => text.includes(secret))).toEqual([]);
}

test("nothing crosses between two tenants", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 80 }), async (steps) => {
      const pair = [newTenant(), newTenant()] as const;
      for (const each of steps) {
        const [me, other] = each.who === 0 ? pair : ([pair[1], pair[0]] as const);
        await act(me, other, each);
      }
      await expectWhole(pair[0], pair[1]);
      await expectWhole(pair[1], pair[0]);
    }),
    campaign(60),
  );
});
