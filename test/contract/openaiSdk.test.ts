import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import OpenAI from "openai";
import { testKey } from "../support/settings.js";
import { type TestService, startService } from "../support/service.js";
import { collect, failure } from "./sdk.js";

/** The unmodified `openai` package from npm, with only the server's address and the key set. */
let service: TestService;
let client: OpenAI;

beforeAll(async () => {
  service = await startService();
  client = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: testKey });
});
afterAll(() => service.close());

describe("vector stores through the openai package", () => {
  test("create, retrieve, update and delete", async () => {
    const created = await client.vectorStores.create({
      name: "Support FAQ",
      description: "What customers ask",
      metadata: { team: "support" },
      expires_after: { anchor: "last_active_at", days: 7 },
    });
    expect(created).toEqual({
      id: expect.stringMatching(/^vs_/),
      object: "vector_store",
      embedding_model: "built-in-hashing",
      embedding_dimensions: 8,
      index: { state: "none", keywords: "off" },
      created_at: expect.any(Number),
      name: "Support FAQ",
      description: "What customers ask",
      usage_bytes: 0,
      file_counts: { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 },
      status: "completed",
      expires_after: { anchor: "last_active_at", days: 7 },
      expires_at: (created.last_active_at ?? 0) + 7 * 86_400,
      last_active_at: expect.any(Number),
      metadata: { team: "support" },
    });
    expect(await client.vectorStores.retrieve(created.id)).toEqual(created);

    const updated = await client.vectorStores.update(created.id, {
      name: "FAQ",
      metadata: { team: "sales" },
      expires_after: null,
    });
    expect(updated).toMatchObject({ id: created.id, name: "FAQ", metadata: { team: "sales" }, expires_at: null });
    expect(updated.expires_after).toBeUndefined();
    expect(await client.vectorStores.retrieve(created.id)).toMatchObject({ name: "FAQ", metadata: { team: "sales" } });

    expect(await client.vectorStores.delete(created.id)).toEqual({
      id: created.id,
      object: "vector_store.deleted",
      deleted: true,
    });
    expect(await failure(client.vectorStores.retrieve(created.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failure(client.vectorStores.delete(created.id))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("a store can be created without arguments", async () => {
    expect(await client.vectorStores.create({})).toMatchObject({ name: "", metadata: {}, expires_at: null });
  });

  test("for await visits every store once, over all pages, in both orders", async () => {
    const known = new Set((await collect(client.vectorStores.list({ limit: 100 }))).map((store) => store.id));
    const made: string[] = [];
    for (let i = 0; i < 45; i += 1) made.push((await client.vectorStores.create({ name: `page ${i}` })).id);
    const ours = (stores: { id: string }[]) => stores.map((store) => store.id).filter((id) => !known.has(id));

    // The default page holds 20, so this is three pages.
    expect(ours(await collect(client.vectorStores.list()))).toEqual(made.toReversed());
    expect(ours(await collect(client.vectorStores.list({ limit: 7, order: "asc" })))).toEqual(made);

    const sizes: number[] = [];
    let page = await client.vectorStores.list({ limit: 20 });
    sizes.push(page.data.length);
    while (page.hasNextPage()) {
      page = await page.getNextPage();
      sizes.push(page.data.length);
    }
    const total = known.size + made.length;
    expect(sizes).toEqual([20, 20, total - 40]);

    const middle = made[22] ?? "";
    const before = await client.vectorStores.list({ limit: 5, order: "asc", before: middle });
    expect(before.data.map((store) => store.id)).toEqual(made.slice(17, 22));
    const after = await client.vectorStores.list({ limit: 5, order: "asc", after: middle });
    expect(after.data.map((store) => store.id)).toEqual(made.slice(23, 28));
  });
});

describe("errors through the openai package", () => {
  test("an unknown store is a NotFoundError with all error fields", async () => {
    const error = await failure(client.vectorStores.retrieve("vs_00000000000070008000000000000000"));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({
      status: 404,
      code: "not_found",
      param: "vector_store_id",
      type: "invalid_request_error",
      requestID: expect.stringMatching(/^req_/),
    });
  });

  test("a value out of range is a BadRequestError that names the field", async () => {
    const { id } = await client.vectorStores.create({});
    const tooMany = await failure(client.vectorStores.search(id, { query: "x", max_num_results: 51 }));
    expect(tooMany).toBeInstanceOf(OpenAI.BadRequestError);
    expect(tooMany).toMatchObject({ status: 400, param: "max_num_results", message: expect.stringContaining("50") });
    const days = { anchor: "last_active_at", days: 366 } as const;
    expect(await failure(client.vectorStores.create({ expires_after: days }))).toMatchObject({
      status: 400,
      param: "expires_after.days",
    });
    expect(await failure(client.vectorStores.list({ limit: 101 }))).toMatchObject({ status: 400, param: "limit" });
    expect(await failure(client.vectorStores.retrieve("not-an-id"))).toBeInstanceOf(OpenAI.BadRequestError);
  });

  test("a wrong key is an AuthenticationError and an unknown path a NotFoundError", async () => {
    const stranger = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: `${testKey}x` });
    expect(await failure(stranger.vectorStores.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(await failure(stranger.models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    const unknown = await failure(client.get("/_stainless_unknown_path"));
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(unknown).toMatchObject({ type: "invalid_request_error", message: expect.stringContaining("Unknown") });
  });
});
