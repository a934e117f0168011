import { afterEach, describe, expect, test } from "@jest/globals";
import { hash } from "node:crypto";
import request from "supertest";
import { ingestNext } from "../../../src/core/files/ingest.js";
import { type FakeLitellm, startFakeLitellm } from "../../support/fakeLitellm.js";
import { type TestService, startService } from "../../support/service.js";

let litellm: FakeLitellm | undefined;
let service: TestService | undefined;
afterEach(async () => {
  await service?.close();
  await litellm?.[Symbol.asyncDispose]();
  service = undefined;
  litellm = undefined;
});

async function start({ master = true } = {}) {
  const fake = await startFakeLitellm({ master });
  litellm = fake;
  fake.teams.set("red", {});
  fake.keys.set("sk-ann", { user_id: "ann", team_id: "red", models: ["embed"] });
  fake.keys.set("sk-ben", { user_id: "ben" });
  service = await startService({ environment: fake.environment });
  const running = service;
  running.deps.wakeIngestion = () => undefined;
  const post = (key: string, path: string) => request(running.url).post(path).set("authorization", `Bearer ${key}`);
  const create = async (key: string) =>
    ((await post(key, "/v1/vector_stores").send({ name: "a" }).expect(200)).body as { id: string }).id;
  const upload = async (key: string, store: string, text: string) => {
    const sent = post(key, `/v1/vector_stores/${store}/upload`).set("prefer", "respond-async");
    return ((await sent.attach("file", Buffer.from(text), `${text}.txt`).expect(202)).body as { id: string }).id;
  };
  const never = new AbortController().signal;
  const work = async () => {
    while (await ingestNext(running.deps, "worker", never));
  };
  /** The keys of the embedding requests with this text. */
  const payersOf = (text: string) =>
    fake.asked
      .filter(({ path, body }) => path === "/v1/embeddings" && [body.input].flat().some((each) => each.includes(text)))
      .map(({ headers }) => headers.authorization?.replace("Bearer ", ""));
  return { fake, running, create, upload, work, payersOf };
}

describe("ingestion, with a master key", () => {
  test("is paid by a short-lived key of the user and team that attached the file", async () => {
    const { fake, create, upload, work, payersOf } = await start();
    const store = await create("sk-ann");
    await upload("sk-ann", store, "apple");
    await upload("sk-ann", store, "apricot");
    await upload("sk-ben", await create("sk-ben"), "banana");
    await work();
    expect([...fake.minted.values()]).toEqual([
      expect.objectContaining({ user_id: "ann", team_id: "red", models: ["embed"], duration: "3600s" }),
      expect.objectContaining({ user_id: "ben", team_id: null, models: [], duration: "3600s" }),
    ]);
    expect([payersOf("apple"), payersOf("apricot"), payersOf("banana")]).toEqual([
      ["sk-minted-1"],
      ["sk-minted-1"],
      ["sk-minted-2"],
    ]);
    expect(JSON.stringify(await service?.database.query("SELECT payer FROM vector_store_files"))).not.toContain("sk-");
  });

  test("goes on when the key that attached the file is gone", async () => {
    const { fake, running, create, upload, work } = await start();
    const store = await create("sk-ann");
    const id = await upload("sk-ann", store, "apple");
    fake.keys.delete("sk-ann");
    await work();
    const file = await running.get(`/v1/vector_stores/${store}/files/${id}`).expect(200);
    expect(file.body).toMatchObject({ status: "completed" });
    expect([...fake.minted.values()]).toMatchObject([{ user_id: "ann", team_id: "red", models: [] }]);
  });

  test("makes a new key when LiteLLM does not know the one before", async () => {
    const { fake, running, create, upload, work, payersOf } = await start();
    const store = await create("sk-ann");
    await upload("sk-ann", store, "apple");
    fake.answers.embeddings = ({ headers }) =>
      headers.authorization === "Bearer sk-minted-1"
        ? { status: 401, json: { error: { message: "Invalid proxy server token", type: "token_not_found_in_db" } } }
        : null;
    await work();
    await running.database.exec("UPDATE vector_store_files SET run_after = now()");
    await work();
    expect(payersOf("apple")).toEqual(["sk-minted-1", "sk-minted-2"]);
  });

  test("fails a file whose payer has no budget, and nobody else's", async () => {
    const { fake, running, create, upload, work } = await start();
    const [ann, ben] = [await create("sk-ann"), await create("sk-ben")];
    const [poor, rich] = [await upload("sk-ann", ann, "apple"), await upload("sk-ben", ben, "banana")];
    fake.answers.embeddings = ({ headers }) =>
      headers.authorization === "Bearer sk-minted-1"
        ? {
            status: 422,
            json: { error: { message: "Budget has been exceeded!", type: "budget_exceeded", code: "422" } },
          }
        : null;
    await work();
    const look = async (store: string, id: string) =>
      (await running.get(`/v1/vector_stores/${store}/files/${id}`).expect(200)).body as object;
    // LiteLLM's own words may name users, teams and sums, which the store's other readers need not know.
    expect(await look(ann, poor)).toMatchObject({
      status: "failed",
      last_error: { message: "The budget of whoever attached this file is spent at LiteLLM." },
    });
    expect(await look(ben, rich)).toMatchObject({ status: "completed" });
  });

  test.each([
    ["401 for every key", { status: 401, type: "auth_error", message: "Team=red is blocked." }, /accepts no key/],
    ["403", { status: 403, type: "key_model_access_denied", message: "red may use ['x'] only" }, /does not let/],
  ])("fails a file for which LiteLLM answers %s, and makes no new keys for others", async (_, said, told) => {
    const { fake, running, create, upload, work } = await start();
    const [ann, ben] = [await create("sk-ann"), await create("sk-ben")];
    const blocked = await upload("sk-ann", ann, "apple");
    const { status, type, message } = said;
    fake.answers.embeddings = ({ headers }) => {
      const key = headers.authorization?.replace("Bearer ", "") ?? "";
      const isAnns = fake.minted.get(key)?.user_id === "ann";
      return isAnns ? { status, json: { error: { message, type, param: "None", code: String(status) } } } : null;
    };
    for (const text of ["banana", "berry", "beet"]) {
      await upload("sk-ben", ben, text);
      await work();
      await running.database.exec("UPDATE vector_store_files SET run_after = now()");
    }
    await work();
    const file = (await running.get(`/v1/vector_stores/${ann}/files/${blocked}`).expect(200)).body as {
      last_error: { message: string };
    };
    expect(file).toMatchObject({ status: "failed", last_error: { message: expect.stringMatching(told) } });
    expect(file.last_error.message).not.toContain("red");
    const made = [...fake.minted.values()].filter(({ user_id: user }) => user === "ben");
    expect(made).toHaveLength(1);
    expect(fake.minted.size).toBeLessThanOrEqual(4);
  });

  test("waits while LiteLLM makes no key", async () => {
    const { fake, running, create, upload, work } = await start();
    const store = await create("sk-ann");
    const id = await upload("sk-ann", store, "apple");
    fake.outage = { status: 500, json: { error: { message: "down", type: "internal_server_error" } } };
    await work();
    fake.outage = null;
    const look = async () => (await running.get(`/v1/vector_stores/${store}/files/${id}`).expect(200)).body as object;
    expect(await look()).toMatchObject({ status: "in_progress" });
    await running.database.exec("UPDATE vector_store_files SET run_after = now()");
    await work();
    expect(await look()).toMatchObject({ status: "completed" });
  });

  test("deletes its keys at LiteLLM when it stops, and those of a dead process when they have ended", async () => {
    const { fake, running, create, upload, work } = await start();
    await upload("sk-ann", await create("sk-ann"), "apple");
    await work();
    const dead = "d".repeat(64);
    await running.database.exec(`INSERT INTO vector_store_minted_keys VALUES ('${dead}', now() - interval '1 s')`);
    expect(await running.deps.payers.sweep()).toBe(1);
    expect(fake.deleted).toEqual([dead]);
    await running.deps.payers.close();
    expect(fake.deleted).toEqual([dead, hash("sha256", "sk-minted-1", "hex")]);
    expect(await running.database.query("SELECT hash FROM vector_store_minted_keys")).toEqual([]);
  });

  test("of the server's own files costs the service, without a new key", async () => {
    const { fake, running, upload, work, payersOf } = await start();
    const made = await running.post("/v1/vector_stores", { name: "a" }).expect(200);
    await upload("sk-test-server-key", (made.body as { id: string }).id, "apple");
    await work();
    expect(payersOf("apple")).toEqual(["sk-service"]);
    expect(fake.minted.size).toBe(0);
  });
});

test("without a master key the service pays, and LiteLLM's spend log names the user, the team and the key", async () => {
  const { fake, create, upload, work, payersOf } = await start({ master: false });
  // Headers carry ASCII only.
  fake.keys.set("sk-zoe", { user_id: "zoë", team_id: "red" });
  const store = await create("sk-zoe");
  await upload("sk-zoe", store, "apple");
  await work();
  expect(payersOf("apple")).toEqual(["sk-service"]);
  const asked = fake.asked.find(({ path, body }) => path === "/v1/embeddings" && [body.input].flat().includes("apple"));
  expect(asked?.headers["x-litellm-tags"]).toBe("vector-store");
  expect(JSON.parse(asked?.headers["x-litellm-spend-logs-metadata"] as string)).toEqual({
    user_id: "zoë",
    team_id: "red",
    key_hash: hash("sha256", "sk-zoe", "hex"),
  });
});
