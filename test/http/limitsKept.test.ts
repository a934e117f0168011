import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { errorOf, send } from "./requests.js";

let litellm: FakeLitellm;
let service: TestService;
beforeAll(async () => {
  litellm = await startFakeLitellm();
  for (const name of ["ann", "ben", "eve"]) litellm.keys.set(`sk-${name}`, { user_id: name });
  service = await startService({ environment: litellm.environment });
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = (who: string, method: string, path: string, body?: object) =>
  send(service.url, {
    method,
    path: `/v1${path}`,
    key: who === "master" ? litellm.masterKey : `sk-${who}`,
    ...(body !== undefined && { body }),
  });
const made = async (who: string) =>
  (JSON.parse((await ask(who, "POST", "/vector_stores", { name: "a" })).text) as { id: string }).id;
const row = { content: "x".repeat(101), embedding: [1, 0, 0, 0, 0, 0, 0, 0] };

describe("a vector store that is given away", () => {
  test("must have room with its new owner, and only its owner may give it", async () => {
    const limits = { vector_stores: 1, bytes: 100 };
    expect((await ask("master", "PUT", "/admin/limits/user%3Aben", limits)).status).toBe(200);
    const give = (who: string, store: string) =>
      ask(who, "PUT", `/vector_stores/${store}/owner`, { user_id: "ben", team_id: null });
    const [first, second] = [await made("ann"), await made("ann")];
    for (const store of [first, second])
      await ask("ann", "PUT", `/vector_stores/${store}/permissions/user%3Aeve`, { permission: "admin" });
    expect((await ask("ann", "POST", `/vector_stores/${first}/embeddings`, row)).status).toBe(200);
    expect(errorOf(await give("ann", first))).toMatchObject({ code: "limit_reached" });
    const taken = await ask("eve", "PUT", `/vector_stores/${second}/owner`, { user_id: "eve" });
    expect([taken.status, errorOf(taken).message]).toEqual([403, expect.stringMatching(/Only the owner/)]);
    expect((await give("ann", second)).status).toBe(200);
    const refused = await give("ann", first);
    expect([refused.status, errorOf(refused).message]).toEqual([403, expect.stringMatching(/'ben' may have 1 vector/)]);
    expect((await give("master", first)).status).toBe(200);
  });
});

describe("bytes", () => {
  test("of parts of uploads count before they are completed", async () => {
    expect((await ask("master", "PUT", "/admin/limits/user%3Aann", { bytes: 1000 })).status).toBe(200);
    const { id } = JSON.parse(
      (
        await ask("ann", "POST", "/uploads", {
          ...{ bytes: 600, filename: "a.txt", mime_type: "text/plain", purpose: "assistants" },
        })
      ).text,
    ) as { id: string };
    const part = (text: string) =>
      send(service.url, {
        method: "POST",
        path: `/v1/uploads/${id}/parts`,
        key: "sk-ann",
        headers: { "content-type": "multipart/form-data; boundary=b" },
        body: `--b\r\nContent-Disposition: form-data; name="data"; filename="a"\r\n\r\n${text}\r\n--b--\r\n`,
      });
    const { id: first } = JSON.parse((await part("x".repeat(600))).text) as { id: string };
    const refused = await part("x".repeat(600));
    expect([refused.status, errorOf(refused).code]).toEqual([403, "limit_reached"]);
    expect((await ask("ann", "POST", `/uploads/${id}/complete`, { part_ids: [first] })).status).toBe(200);
    // The file has the bytes now, and the parts are gone: 400 are left.
    const next = { bytes: 401, filename: "b.txt", mime_type: "text/plain", purpose: "assistants" };
    expect((await ask("ann", "POST", "/uploads", next)).status).toBe(403);
    expect((await ask("ann", "POST", "/uploads", { ...next, bytes: 400 })).status).toBe(200);
  });
});

test("a change by a replica whose clock is behind is noticed", async () => {
  const perMinute = async () => {
    const { text } = await ask("ann", "GET", "/limits");
    const { data } = JSON.parse(text) as { data: { requests_per_minute: number }[] };
    return data[0]?.requests_per_minute;
  };
  await ask("master", "PUT", "/admin/limits/user%3Aann", { requests_per_minute: 1001 });
  await ask("master", "PUT", "/admin/limits/user%3Aben", { requests_per_minute: 1002 });
  expect(await perMinute()).toBe(1001);
  await service.database.exec(`
    UPDATE vector_store_limits SET limits = '{"requestsPerMinute": 1003}', set_at = set_at - interval '1 hour'
    WHERE subject = 'user:ann'`);
  service.advance(5_001);
  // The limits are read beside the first requests, which get what was known.
  let seen = await perMinute();
  for (let more = 100; seen !== 1003 && more > 0; more -= 1) seen = await perMinute();
  expect(seen).toBe(1003);
});
