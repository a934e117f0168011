import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { signIdentity } from "../../support/identity.js";
import { type Asking, ask, directly, inspect, makeKey, makeStore, makeUser, named, ways } from "./identitySupport.js";
import { failure, proxy, sidecar, until } from "./support.js";

/** Nobody becomes somebody else through LiteLLM. */

const word = "plughann";
let ann: string;
let cat: string;
/** Ann's, with the word. */
let store: string;
/** A caller's own host, and what LiteLLM sends to it. */
const thief = createServer((req, res) => {
  stolen.push(req.headers);
  res.writeHead(500).end();
});
const stolen: IncomingHttpHeaders[] = [];
let thiefUrl: string;
beforeAll(async () => {
  ann = await makeKey({ user_id: await makeUser("forged") });
  cat = await makeKey({ user_id: await makeUser("forger") });
  store = await makeStore(ann, "forged", `The word is ${word}.`);
  await new Promise<void>((done) => thief.listen(0, "127.0.0.1", done));
  thiefUrl = `http://127.0.0.1:${(thief.address() as AddressInfo).port}`;
});
afterAll(() => {
  thief.close();
});

const header = "x-vector-store-identity";
/** What LiteLLM would sign for Ann: whoever gets this to the server is Ann. */
const token = () => signIdentity({ by: ann, sub: named("forged"), op: "search", store });
const annsHash = () => hash("sha256", ann, "hex");
const auth = () => ({ api_key: annsHash(), user_id: named("forged"), user_role: "proxy_admin" });
const metadata = () => ({
  user_api_key: annsHash(),
  user_api_key_hash: annsHash(),
  user_api_key_user_id: named("forged"),
  user_api_key_auth: auth(),
});

test("a token of Ann's opens the door beside the key that requires an identity, and nothing else does", async () => {
  const made = { name: named("registry"), scope: "write", identity_required: true };
  const { key } = await directly(proxy.apiKey ?? "").post<{ key: string }>("/admin/keys", { body: made });
  const search = (headers: Record<string, string>) =>
    directly(key).post<object>(`/vector_stores/${store}/search`, { body: { query: "What is it?" }, headers });
  expect(JSON.stringify(await search({ [header]: token() }))).toContain(word);
  expect(await failure(search({}))).toMatchObject({ status: 401, code: "identity_required" });
});

async function expectNothing(asking: Omit<Asking, "key">, more: object = {}) {
  for (const [way, go] of Object.entries(ways)) {
    const { status, text } = await go([store], { ...asking, key: cat }, more);
    expect([way, status, text]).toEqual([way, expect.any(Number), expect.not.stringContaining(word)]);
  }
}

describe("through LiteLLM, a caller cannot be Ann", () => {
  test.each<[string, () => Record<string, string>]>([
    ["the header itself", () => ({ [header]: token() })],
    ["another spelling of it", () => ({ "X-Vector_Store-IDENTITY": token(), x_vector_store_identity: token() })],
    ["headers that LiteLLM passes on", () => ({ [`x-pass-${header}`]: token(), [`llm_provider-${header}`]: token() })],
  ])("by %s", async (_name, headers) => {
    await expectNothing({ headers: headers() });
  });

  test("by the header that LiteLLM maps to its users, although LiteLLM itself takes her for Ann then", async () => {
    await expectNothing({ headers: { "x-test-user": named("forged") } });
    const days = "start_date=2020-01-01 00:00:00&end_date=2100-01-01 00:00:00";
    const logs = `/spend/logs/v2?${days}&user_id=${named("forged")}&api_key=${hash("sha256", cat, "hex")}`;
    await until(async () => (await inspect<{ total: number }>(logs)).total > 0);
  });

  test.each<[string, () => object]>([
    ["extra_headers", () => ({ extra_headers: { [header]: token(), " X-Vector-Store-Identity": token() } })],
    ["headers in the body", () => ({ headers: { [header]: token() }, default_headers: { [header]: token() } })],
    ["metadata", () => ({ metadata: metadata() })],
    ["litellm_metadata", () => ({ litellm_metadata: metadata() })],
    ["naming the user", () => ({ user: named("forged"), user_id: named("forged"), user_api_key_auth: auth() })],
    ["the address", () => ({ api_base: sidecar.baseURL.replace(/\/v1$/, ""), base_url: sidecar.baseURL })],
    ["the provider", () => ({ custom_llm_provider: "pg_vector/x" })],
    ["naming a credential", () => ({ litellm_credential_name: "vector-store" })],
    [
      "naming another operation",
      () => ({ op: "list", call_type: "alist", litellm_logging_obj: { call_type: "alist" } }),
    ],
    ["naming another vector store", () => ({ vector_store_id: "vs_1" })],
    ["the model", () => ({ model: "pg_vector/x" })],
  ])("by %s", async (_name, more) => {
    await expectNothing({}, more());
  });

  test("by an id that is a path", async () => {
    const own = await makeStore(cat, "forger", "nothing");
    for (const id of [
      `${own}/../${store}`,
      `${own}%2F..%2F${store}`,
      `${own}?x=/../${store}`,
      `${store}%20`,
      `${store}%00`,
    ]) {
      const body = { query: "What is it?", custom_llm_provider: "pg_vector" };
      expect((await ask(`/vector_stores/${id}/search`, body, { key: cat })).text).not.toContain(word);
    }
  });

  test("nor get a token for a host of its own", async () => {
    for (const more of [
      { api_base: thiefUrl },
      { base_url: thiefUrl },
      { api_base: thiefUrl, custom_llm_provider: "pg_vector" },
      { api_base: `${sidecar.baseURL.replace("://", "://x@")}@${thiefUrl.slice(7)}` },
    ]) {
      await expectNothing({}, more);
    }
    for (const headers of stolen) expect(Object.keys(headers)).not.toContain(header);
  });
});
