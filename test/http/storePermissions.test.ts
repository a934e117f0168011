import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type FakeLitellm, startFakeLitellm } from "../support/fakeLitellm.js";
import { type TestService, startService } from "../support/service.js";
import { type Answer, errorOf, send } from "./requests.js";

let litellm: FakeLitellm;
let service: TestService;
let store: string;
let rows = 0;
const people = ["owner", "mate", "reader", "writer", "sharer", "stranger"];
beforeAll(async () => {
  litellm = await startFakeLitellm();
  for (const name of people) litellm.keys.set(`sk-${name}`, { user_id: name });
  litellm.teams.set("red", {});
  litellm.keys.set("sk-owner", { user_id: "owner", team_id: "red" });
  litellm.keys.set("sk-mate", { user_id: "mate", team_id: "red" });
  service = await startService({ environment: litellm.environment });
});
beforeEach(async () => {
  store = (parsed(await ask("owner", "/v1/vector_stores", "POST", { name: "shared" })) as { id: string }).id;
});
afterAll(async () => {
  await service.close();
  await litellm[Symbol.asyncDispose]();
});

const ask = (who: string, path: string, method = "GET", body?: object) =>
  send(service.url, {
    method,
    path,
    key: who === "master" ? litellm.masterKey : `sk-${who}`,
    ...(body !== undefined && { body }),
  });
const parsed = (answer: Answer) => JSON.parse(answer.text) as unknown;
const grants = () => `/v1/vector_stores/${store}/permissions`;
const grant = (subject: string, permission: string, who = "owner") =>
  ask(who, `${grants()}/${encodeURIComponent(subject)}`, "PUT", { permission });
const revoke = (subject: string, who = "owner") => ask(who, `${grants()}/${encodeURIComponent(subject)}`, "DELETE");

/** What somebody may do: the statuses of reading, searching, writing and changing the store. */
async function rights(who: string): Promise<number[]> {
  rows += 1;
  const path = `/v1/vector_stores/${store}`;
  const row = { embeddings: [{ id: `row ${rows}`, content: "a", embedding: [1, 0, 0, 0, 0, 0, 0, 0] }] };
  return [
    (await ask(who, path)).status,
    (await ask(who, `${path}/search`, "POST", { query: "a" })).status,
    (await ask(who, `${path}/embeddings/batch`, "POST", row)).status,
    (await ask(who, path, "POST", { name: "shared" })).status,
  ];
}
const nothing = [404, 404, 404, 404];
const reading = [200, 200, 403, 403];
const writing = [200, 200, 200, 403];
const everything = [200, 200, 200, 200];

describe("a store of a user and a team", () => {
  test("is the user's; the team may read and write; others see nothing", async () => {
    expect(await rights("owner")).toEqual(everything);
    expect(await rights("mate")).toEqual(writing);
    expect(await rights("stranger")).toEqual(nothing);
    expect((await grant("user:reader", "read", "mate")).status).toBe(403);
    expect((await ask("mate", grants())).status).toBe(403);
  });

  test("what is granted holds at once, is changed and taken away", async () => {
    await grant("user:reader", "read");
    await grant("user:writer", "write");
    await grant("user:sharer", "admin");
    expect(await rights("reader")).toEqual(reading);
    expect(await rights("writer")).toEqual(writing);
    expect(await rights("sharer")).toEqual(everything);
    await grant("user:reader", "write");
    await grant("user:writer", "read");
    expect(await rights("reader")).toEqual(writing);
    expect(await rights("writer")).toEqual(reading);
    await revoke("user:reader");
    expect(await rights("reader")).toEqual(nothing);
    // Whoever may share may share on, also with everyone and with a team.
    expect((await grant("everyone", "read", "sharer")).status).toBe(200);
    expect(await rights("stranger")).toEqual(reading);
    await revoke("everyone", "sharer");
    expect(await rights("stranger")).toEqual(nothing);
  });

  test("is granted to a team by the team of the key", async () => {
    litellm.teams.set("blue", {});
    litellm.keys.set("sk-blue", { user_id: "stranger", team_id: "blue" });
    await grant("team:blue", "write");
    expect(await rights("blue")).toEqual(writing);
    expect(await rights("stranger")).toEqual(nothing);
  });

  test("is listed with what was granted, and by whom", async () => {
    await grant("user:reader", "read");
    await grant("user:a/b?c", "write", "master");
    expect(parsed(await ask("owner", grants()))).toEqual({
      object: "list",
      data: [
        {
          object: "vector_store.permission",
          subject: "user:a/b?c",
          permission: "write",
          granted_at: expect.any(Number),
          granted_by: "master",
        },
        {
          object: "vector_store.permission",
          subject: "user:reader",
          permission: "read",
          granted_at: expect.any(Number),
          granted_by: "user:owner",
        },
      ],
    });
  });

  test("is given to somebody else", async () => {
    const give = (owner: object, who: string) => ask(who, `/v1/vector_stores/${store}/owner`, "PUT", owner);
    expect((await give({ user_id: "stranger" }, "mate")).status).toBe(403);
    expect((await give({ user_id: "stranger" }, "owner")).status).toBe(200);
    expect(await rights("owner")).toEqual(nothing);
    expect(await rights("mate")).toEqual(nothing);
    expect(await rights("stranger")).toEqual(everything);
    expect((await give({ team_id: "red" }, "stranger")).status).toBe(200);
    expect(await rights("mate")).toEqual(everything);
    expect((await give({}, "mate")).status).toBe(400);
  });

  test("is gone with all that was granted", async () => {
    await grant("user:reader", "read");
    await ask("owner", `/v1/vector_stores/${store}`, "DELETE");
    const left = await service.database.query(
      `SELECT 1 FROM vector_store_permissions WHERE vector_store_id = '${store}'`,
    );
    expect(left).toEqual([]);
  });
});

describe("what is refused", () => {
  test.each(["ann", "user:", "team:", "group:x", "Everyone", `user:${"x".repeat(300)}`])(
    "the subject %j",
    async (subject) => {
      const answer = await grant(subject, "read");
      expect([answer.status, errorOf(answer).param]).toEqual([400, "subject"]);
    },
  );

  test("an unknown permission, and one that nobody has", async () => {
    expect(errorOf(await grant("user:a", "own"))).toMatchObject({ param: "permission" });
    const absent = await revoke("user:nobody");
    expect([absent.status, errorOf(absent).param]).toEqual([404, "subject"]);
  });

  test("for a stranger, every route of a store answers as for an unknown store", async () => {
    const unknown = `${store.slice(0, -4)}0000`;
    for (const [method, path, body] of [
      ["GET", "/permissions"],
      ["PUT", "/permissions/user:x", { permission: "read" }],
      ["DELETE", "/permissions/user:x"],
      ["PUT", "/owner", { user_id: "stranger" }],
      ["DELETE", ""],
      ["POST", "", { name: "x" }],
    ] as const) {
      const [hidden, absent] = [
        await ask("stranger", `/v1/vector_stores/${store}${path}`, method, body),
        await ask("stranger", `/v1/vector_stores/${unknown}${path}`, method, body),
      ];
      expect(hidden.status).toBe(404);
      expect(hidden.text.replaceAll(store, "ID")).toBe(absent.text.replaceAll(unknown, "ID"));
    }
  });
});

test("rows may have the ids of a stranger's rows, and no answer tells which ids those are", async () => {
  const created = await ask("stranger", "/v1/vector_stores", "POST", { name: "hidden" });
  const hidden = `/v1/vector_stores/${(parsed(created) as { id: string }).id}/embeddings`;
  const own = `/v1/vector_stores/${store}/embeddings`;
  const row = (id: string) => ({ id, content: "a", embedding: [1, 0, 0, 0, 0, 0, 0, 0] });
  expect((await ask("stranger", hidden, "POST", row("doc-1"))).status).toBe(200);
  const answers = async (id: string) => [
    await ask("owner", `${own}/${id}`),
    await ask("owner", `${own}/${id}`, "PATCH", { content: "b" }),
    await ask("owner", `${own}/${id}`, "DELETE"),
    await ask("owner", own, "DELETE", { ids: [id] }),
    await ask("owner", own, "POST", { ...row(id), on_conflict: "replace" }),
    await ask("owner", own, "POST", { ...row(id), content: "b" }),
    await ask("owner", `${own}/${id}`, "DELETE"),
    await ask("owner", `${own}/batch`, "POST", { embeddings: [row(id)], on_conflict: "skip" }),
  ];
  const told = (given: readonly Answer[], id: string) =>
    given.map(({ status, text }) => [status, text.replaceAll(id, "ID").replaceAll(/"created(_at)?":\d+/g, "")]);
  const [taken, free] = [await answers("doc-1"), await answers("doc-2")];
  expect(taken.map(({ status }) => status)).toEqual([404, 404, 404, 200, 200, 409, 200, 200]);
  expect(told(taken, "doc-1")).toEqual(told(free, "doc-2"));
  expect(parsed(await ask("stranger", `${hidden}/doc-1`))).toMatchObject({ content: "a" });
});

test("sharing is in the audit log", async () => {
  await grant("user:reader", "read");
  await revoke("user:reader");
  await ask("owner", `/v1/vector_stores/${store}/owner`, "PUT", { user_id: "mate" });
  const log = parsed(await ask("master", "/v1/admin/audit?limit=3")) as { data: object[] };
  expect(log.data).toMatchObject([
    {
      action: "store.transfer",
      actor: "user:owner",
      target: store,
      details: { owner: { userId: "mate", teamId: null } },
    },
    {
      action: "permission.revoke",
      actor: "user:owner",
      target: store,
      details: { subject: "user:reader", permission: "read" },
    },
    {
      action: "permission.grant",
      actor: "user:owner",
      target: store,
      details: { subject: "user:reader", permission: "read" },
    },
  ]);
});
