import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { rowOf } from "../support/stores.js";
import { errorOf, send } from "./requests.js";

/** Limits that are an owner's or a vector store's hold for whoever writes: administrators and SERVER_API_KEY, too. */

let litellm: FakeLitellm;
let service: TestService;
let store: string;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  litellm.keys.set("sk-ann", { user_id: "ann" });
  litellm.keys.set("sk-chief", { user_id: "chief" });
  litellm.users.set("chief", "proxy_admin");
  service = await startService({ environment: litellm.environment });
});
beforeEach(async () => {
  await service.database.exec("DELETE FROM vector_store_limits");
  service.deps.limiter.forget();
  store = (JSON.parse((await create("sk-ann")).text) as { id: string }).id;
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const create = (key: string) => send(service.url, { path: "/v1/vector_stores", key, body: { name: "a" } });
const write = (key: string) =>
  send(service.url, { path: `/v1/vector_stores/${store}/embeddings`, key, body: rowOf(1) });
const set = async (subject: string, body: object) => {
  const path = `/v1/admin/limits/${encodeURIComponent(subject)}`;
  expect((await send(service.url, { method: "PUT", path, key: litellm.masterKey, body })).status).toBe(200);
};

test.each(["vector store", "user"])("the bytes of the %s", async (whose) => {
  await set(whose === "user" ? "user:ann" : `store:${store}`, { bytes: 0 });
  for (const key of [testKey, litellm.masterKey, "sk-chief"]) {
    const refused = await write(key);
    expect([refused.status, errorOf(refused).code]).toEqual([403, "limit_reached"]);
    expect(errorOf(refused).message).toContain(`The ${whose} '`);
  }
});

test("the vector stores of an administrator who is a user", async () => {
  await set("user:chief", { vector_stores: 0 });
  expect(errorOf(await create("sk-chief"))).toMatchObject({ code: "limit_reached" });
  expect((await create(litellm.masterKey)).status).toBe(200);
  expect((await create(testKey)).status).toBe(200);
});

test("a vector store's requests a minute hold for SERVER_API_KEY, and not for administrators", async () => {
  await set(`store:${store}`, { requests_per_minute: 0 });
  expect((await write(testKey)).status).toBe(429);
  expect((await write("sk-chief")).status).toBe(200);
  expect((await write(litellm.masterKey)).status).toBe(200);
});
