import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ModelChoice } from "../../src/litellm/contract.js";
import { createLitellm } from "../../src/litellm/litellm.js";
import { createMetrics } from "../../src/process/metrics.js";
import { type Asked, base64, quiet, startProvider } from "../litellm/support.js";
import { createTestDatabase } from "../support/database.js";
import { testDimensions } from "../support/settings.js";
import { testVector } from "../support/vectors.js";
import { type TestService, startService } from "../support/service.js";
import {
  batchPath,
  bodyOf,
  createStore,
  errorOf,
  rowsPath,
  searchPath,
  searchStore,
  storedRows,
} from "../support/stores.js";
import { type Call, create, models, recordingLitellm, storePath, storesPath } from "./modelStores.js";

const calls: Call[] = [];
let service: TestService;
beforeAll(async () => {
  const environment = { EMBEDDING__MODEL: "settings-model", INDEX_MIN_ROWS: "20" };
  service = await startService({ environment, litellm: recordingLitellm(calls) });
});
afterAll(() => service.close());

describe("a new store", () => {
  const settings = { embedding_model: "settings-model", embedding_dimensions: testDimensions };

  test.each<[string, object, object]>([
    ["nothing", {}, settings],
    ["null", { embedding_model: null, embedding_dimensions: null }, settings],
    ["metadata of null", { metadata: null }, settings],
    ["the settings' model by name", { embedding_model: "settings-model" }, settings],
    ["dimensions", { embedding_dimensions: 6 }, { ...settings, embedding_dimensions: 6 }],
    [
      "another model, with its own dimensions",
      { embedding_model: "small" },
      { embedding_model: "small", embedding_dimensions: 4 },
    ],
    [
      "another model and dimensions",
      { embedding_model: "large", embedding_dimensions: 256 },
      { embedding_model: "large", embedding_dimensions: 256 },
    ],
    [
      "both in metadata, as LiteLLM passes them",
      { metadata: { embedding_model: "large", embedding_dimensions: "256" } },
      { embedding_model: "large", embedding_dimensions: 256 },
    ],
    [
      "dimensions in metadata as a number",
      { metadata: { embedding_dimensions: 5 } },
      { ...settings, embedding_dimensions: 5 },
    ],
    [
      "a model in metadata",
      { metadata: { embedding_model: "small" } },
      { embedding_model: "small", embedding_dimensions: 4 },
    ],
    [
      "both places: the body's word counts",
      { embedding_model: "small", metadata: { embedding_model: "large", embedding_dimensions: "7" } },
      { embedding_model: "small", embedding_dimensions: 7 },
    ],
    [
      "null in the body and a word in metadata",
      { embedding_model: null, embedding_dimensions: null, metadata: { embedding_model: "small" } },
      { embedding_model: "small", embedding_dimensions: 4 },
    ],
  ])("created with %s always shows its model and dimensions", async (_, body, expected) => {
    const made = await create(service, body);
    expect(made).toMatchObject(expected);
    const retrieved = await bodyOf(service.get(storePath(made.id)).expect(200));
    expect(retrieved).toMatchObject(expected);
    const page = await bodyOf(service.get(`${storesPath}?limit=1`).expect(200));
    expect((page as { data: object[] }).data[0]).toMatchObject({ id: made.id, ...expected });
    const updated = await bodyOf(service.post(storePath(made.id), { name: "renamed" }).expect(200));
    expect(updated).toMatchObject({ name: "renamed", ...expected });
  });

  test("keeps its metadata unchanged", async () => {
    const metadata = { embedding_model: "small", embedding_dimensions: "4", team: "a" };
    expect((await create(service, { metadata })).metadata).toEqual(metadata);
  });

  test("with a model that the proxy lacks is refused", async () => {
    const before = await service.database.query("SELECT count(*) FROM vector_stores");
    for (const body of [{ embedding_model: "none" }, { embedding_model: "none", embedding_dimensions: 8 }]) {
      const answer = await service.post(storesPath, body).expect(400);
      expect(errorOf(answer)).toMatchObject({ param: "embedding_model", message: expect.stringContaining("'none'") });
    }
    expect(await service.database.query("SELECT count(*) FROM vector_stores")).toEqual(before);
  });

  test("with such a model in its metadata has the settings' model, and a warning", async () => {
    for (const metadata of [{ embedding_model: "none" }, { embedding_model: "none", embedding_dimensions: 8 }]) {
      expect(await create(service, { metadata })).toMatchObject({
        embedding_model: "settings-model",
        embedding_dimensions: testDimensions,
        warnings: expect.arrayContaining([
          `metadata.embedding_model "none" is not used: the store's model is 'settings-model'`,
        ]),
      });
    }
  });
});

describe("an update", () => {
  test.each([{ embedding_model: "small" }, { embedding_dimensions: 4 }])("cannot change it: %j", async (change) => {
    const made = await create(service, { embedding_model: "small", name: "before" });
    const answer = await service.post(storePath(made.id), { name: "after", ...change }).expect(400);
    expect(errorOf(answer)).toMatchObject({
      param: Object.keys(change)[0],
      message: expect.stringMatching(/created with/),
    });
    expect((await service.get(storePath(made.id))).body).toMatchObject({ name: "before" });
  });

  test("of metadata changes neither, whatever it contains", async () => {
    const made = await create(service, { embedding_model: "small" });
    const metadata = { embedding_model: "large", embedding_dimensions: "3072" };
    const body = await bodyOf(service.post(storePath(made.id), { metadata }).expect(200));
    expect(body).toMatchObject({ metadata, embedding_model: "small", embedding_dimensions: 4 });
  });

  test("with null for both changes nothing", async () => {
    const made = await create(service, {});
    await service.post(storePath(made.id), { embedding_model: null, embedding_dimensions: null }).expect(200);
  });
});

describe("texts and queries", () => {
  const choices = (what: Call["what"]) => calls.filter((call) => call.what === what).map((call) => call.choice);

  test.each<[object, ModelChoice]>([
    [{}, { model: "settings-model", dimensions: testDimensions, sendDimensions: true }],
    [{ embedding_dimensions: 5 }, { model: "settings-model", dimensions: 5, sendDimensions: true }],
    [{ embedding_model: "small" }, { model: "small", dimensions: 4, sendDimensions: false }],
    [
      { embedding_model: "large", embedding_dimensions: 16 },
      { model: "large", dimensions: 16, sendDimensions: true },
    ],
    [
      { embedding_model: "large", embedding_dimensions: 3072 },
      { model: "large", dimensions: 3072, sendDimensions: false },
    ],
  ])("of a store created with %j are embedded by its model", async (body, choice) => {
    const id = await createStore(service, body);
    calls.length = 0;
    await service.post(rowsPath(id), { content: "one text" }).expect(200);
    await service.post(batchPath(id), { embeddings: [{ content: "two" }, { content: "three" }] }).expect(200);
    const [best] = await searchStore(service, id, ["one text", "no such words"]);
    expect(best).toMatchObject({ content: [{ text: "one text" }] });
    expect(best?.score).toBeCloseTo(1, 3);
    expect(choices("texts")).toEqual([choice, choice]);
    expect(choices("query")).toEqual([choice, choice]);
    expect(calls.filter((call) => call.what === "texts").flatMap((call) => call.texts)).toEqual([
      "one text",
      "two",
      "three",
    ]);
    for (const row of await storedRows(service, id)) expect(row.embedding).toHaveLength(choice.dimensions);
  });
});

describe("with a real proxy", () => {
  test("a store's model is called for its dimensions, and an unknown model is a 400", async () => {
    const vector = ({ body }: Asked) => base64(testVector(1, body.dimensions ?? models[body.model ?? ""] ?? 0));
    await using provider = await startProvider((asked) =>
      models[asked.body.model ?? ""] === undefined
        ? { status: 400, json: { error: { message: "Invalid model name", type: "None", param: "None", code: "400" } } }
        : { json: { data: asked.body.input.map((_, index) => ({ index, embedding: vector(asked) })) } },
    );
    const environment = {
      EMBEDDING__MODEL: "settings-model",
      LITELLM_PROXY_URL: provider.url,
      LITELLM_MASTER_KEY: "sk-m",
    };
    const database = await createTestDatabase();
    const { db, config } = await database.open(environment);
    await db.close();
    const real = await startService({
      database,
      environment,
      litellm: createLitellm(config.embedding, quiet, createMetrics()),
    });
    try {
      const answer = await real.post(storesPath, { embedding_model: "misspelt" }).expect(400);
      expect(errorOf(answer)).toMatchObject({
        param: "embedding_model",
        message: expect.stringContaining("'misspelt'"),
      });
      expect(await database.query("SELECT id FROM vector_stores")).toEqual([]);
      const made = await create(real, { embedding_model: "small" });
      expect(made).toMatchObject({ embedding_model: "small", embedding_dimensions: 4 });
      await real.post(rowsPath(made.id), { content: "a text" }).expect(200);
      const asked = provider.asked.at(-1)?.body;
      expect(asked).toMatchObject({ model: "small", input: ["a text"] });
      expect(asked).not.toHaveProperty("dimensions");
      const short = await create(real, { embedding_model: "large", embedding_dimensions: 16 });
      expect(await searchStore(real, short.id, "a query")).toEqual([]);
      expect(provider.asked.at(-1)?.body).toMatchObject({ model: "large", dimensions: 16, input: ["a query"] });
    } finally {
      await real.close();
    }
  });
});

test("a search of a store whose model is gone fails, naming that model, instead of using another", async () => {
  const database = await createTestDatabase();
  await using provider = await startProvider(() => ({
    status: 400,
    json: { error: { message: "Invalid model name" } },
  }));
  const environment = { LITELLM_PROXY_URL: provider.url, LITELLM_MASTER_KEY: "sk-m" };
  const first = await startService({
    database,
    environment: { EMBEDDING__MODEL: "settings-model" },
    litellm: recordingLitellm([]),
  });
  const id = await createStore(first, { embedding_model: "small" });
  await first.stop();
  const second = await startService({ database, environment });
  try {
    const answer = await second.post(searchPath(id), { query: "x" }).expect(502);
    expect(errorOf(answer).message).toMatch(/'small'/);
  } finally {
    await second.close();
  }
});
