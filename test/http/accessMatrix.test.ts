import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { apiRoutes } from "../../src/http/app.js";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { identitySecret, signIdentity } from "../support/identity.js";
import { type TestService, startService } from "../support/service.js";
import { testKey } from "../support/settings.js";
import { type Person, exceptions, expected, fillLitellm, people } from "./accessCallers.js";
import { type Need, type Things, type Tried, routesTried } from "./accessRoutes.js";

let litellm: FakeLitellm;
let service: TestService;
const keys: Partial<Record<Person, string | null>> = { serverKey: testKey, nobody: null };
let shared: Things;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  fillLitellm(litellm);
  keys.admin = litellm.masterKey;
  service = await startService({
    environment: { ...litellm.environment, CHAT_MODEL: "chat", LITELLM_IDENTITY_SECRET: identitySecret },
  });
  for (const name of people) keys[name] ??= name === "nobody" ? null : `sk-${name}`;
  keys.searchKey = await makeKey({ name: "search", scope: "search" });
  keys.forOwner = await makeKey({ name: "through LiteLLM", scope: "write", identity_required: true });
  keys.forUnnamed = keys.forForger = keys.forOwner;
  shared = await makeThings();
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const declared = new Map(apiRoutes.map((route) => [`${route.method} ${route.path}`, route]));

const as = (who: Person, method: string, path: string) => {
  const sent = request(service.url)[method as "get"](`/v1${path}`);
  const key = keys[who];
  return key == null ? sent : sent.set("authorization", `Bearer ${key}`);
};
const idOf = async (sent: request.Test) => ((await sent.expect(200)).body as { id: string }).id;

async function makeKey(body: object): Promise<string> {
  return ((await as("admin", "post", "/admin/keys").send(body).expect(200)).body as { key: string }).key;
}

/** What the owner has, shared with the others as the matrix says. */
async function makeThings(): Promise<Things> {
  const store = await idOf(as("owner", "post", "/vector_stores").send({ name: "matrix" }));
  const upload = { filename: "a.txt", bytes: 1, purpose: "assistants", mime_type: "text/plain" };
  const row = `row of ${store}`;
  const rows = [{ id: row, content: "a", embedding: [1, 0, 0, 0, 0, 0, 0, 0] }];
  const file = async () =>
    idOf(as("owner", "post", "/files").field("purpose", "assistants").attach("file", Buffer.from("a"), "a.txt"));
  await as("owner", "post", `/vector_stores/${store}/embeddings/batch`).send({ embeddings: rows }).expect(200);
  const attached = await file();
  const batch = await idOf(as("owner", "post", `/vector_stores/${store}/file_batches`).send({ file_ids: [attached] }));
  for (const [subject, permission] of [
    ["user:reader", "read"],
    ["user:writer", "write"],
    ["user:storeAdmin", "admin"],
    ["user:grantee", "read"],
  ]) {
    await as("owner", "put", `/vector_stores/${store}/permissions/${subject}`).send({ permission }).expect(200);
  }
  const uploadId = await idOf(as("owner", "post", "/uploads").send(upload));
  const part = await idOf(as("owner", "post", `/uploads/${uploadId}/parts`).attach("data", Buffer.from("a"), "part"));
  const limitedKey = await makeKey({ name: `limited ${store}`, scope: "write", vector_store_ids: [store] });
  const key = await idOf(as("admin", "post", "/admin/keys").send({ name: `key of ${store}`, scope: "read" }));
  const session = await idOf(
    request(service.url).post("/v1/sessions").set("sec-fetch-site", "same-origin").send({ key: "sk-owner" }),
  );
  const limited = `user:of ${store}`;
  await as("admin", "put", `/admin/limits/${encodeURIComponent(limited)}`)
    .send({ bytes: 1 })
    .expect(200);
  return { store, row, file: await file(), attached, batch, upload: uploadId, part, session, key, limited, limitedKey };
}

function ask(who: Person, name: string, { params, body, form, headers = {} }: Tried, things: Things): request.Test {
  keys.limitedKey = things.limitedKey;
  const [method = "", pattern = ""] = name.split(" ");
  const values = params?.(things) ?? {};
  const path = pattern.replace(/[:*](\w+)/g, (_, param: string) => encodeURIComponent(values[param] ?? ""));
  const sent = as(who, method, path).set(headers);
  if (who === "forOwner" || who === "forForger") {
    const { litellm: op = "search" } = declared.get(name) ?? {};
    const claims = { by: "sk-owner", op, store: values.vector_store_id ?? null };
    const secret = who === "forOwner" ? identitySecret : "a secret that is not the server's";
    void sent.set("x-vector-store-identity", signIdentity(claims, { secret }));
  }
  if (body !== undefined) return sent.send(body(things));
  if (form === undefined) return sent;
  for (const [field, value] of Object.entries(form)) void sent.field(field, value);
  const part = pattern.endsWith("/parts");
  return sent.attach(part ? "data" : "file", Buffer.from("a"), part ? "part" : "a.txt");
}

/** Where LiteLLM asks on behalf of the owner, it may what the owner may. */
const expectedOf = (name: string, need: Need) => ({
  ...expected[need],
  ...(declared.get(name)?.litellm !== undefined && { forOwner: expected[need].owner }),
  ...exceptions[name],
});

const idsOf = (things: Things) => Object.keys(things).map((what) => things[what as keyof Things]);

describe("who may do what", () => {
  test("every route is in the matrix, and every need has an expectation for everybody", () => {
    expect(Object.keys(routesTried).sort()).toEqual([...declared.keys()].sort());
    for (const row of Object.values(expected)) expect(Object.keys(row).sort()).toEqual([...people].sort());
  });

  test.each(Object.entries(routesTried))("%s", async (name, tried) => {
    const found: Partial<Record<Person, number | string>> = {};
    const wanted = expectedOf(name, tried.need);
    for (const who of people) {
      // Whoever is refused takes nothing away.
      const things = tried.consumes && wanted[who] === 2 ? await makeThings() : shared;
      const { status } = await ask(who, name, tried, things);
      found[who] = status >= 200 && status < 300 ? 2 : status;
    }
    expect(found).toEqual(wanted);
  });
});

describe("what is hidden", () => {
  const hidden = Object.entries(routesTried).filter(
    ([name, { need }]) => expected[need].stranger === 404 && !/^(post \/v2)/.test(name),
  );

  test.each(hidden)("%s answers a stranger as for something that does not exist", async (name, tried) => {
    const absent = { ...shared };
    for (const what of Object.keys(absent) as (keyof Things)[]) {
      absent[what] = absent[what].replace(/[0-9a-f]{8}$/, "00000000");
    }
    const [hiddenAnswer, absentAnswer] = [
      await ask("stranger", name, tried, shared),
      await ask("stranger", name, tried, absent),
    ];
    const neutral = (text: string) =>
      [...idsOf(shared), ...idsOf(absent)].reduce((all, id) => all.replaceAll(id, "ID"), text);
    expect(neutral(hiddenAnswer.text)).toBe(neutral(absentAnswer.text));
    expect(hiddenAnswer.status).toBe(absentAnswer.status);
    const headersOf = ({ headers }: request.Response) => Object.keys(headers).sort();
    expect(headersOf(hiddenAnswer)).toEqual(headersOf(absentAnswer));
  });
});
