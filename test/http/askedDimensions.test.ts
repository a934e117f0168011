import { describe, expect, test } from "@jest/globals";
import { failure } from "../litellm/support.js";
import { startService } from "../support/service.js";
import { testDimensions } from "../support/settings.js";
import { bodyOf, errorOf, rowsPath } from "../support/stores.js";
import { storesPath } from "./modelStores.js";
import { proxy, service } from "./promptsSupport.js";

interface Made {
  id: string;
  warnings?: string[];
}

const create = async (body: object) => (await bodyOf(service.post(storesPath, body).expect(200))) as Made;
const insert = (id: string, content: string) => service.post(rowsPath(id), { content }).expect(200);

describe("asked dimensions are tried", () => {
  const vectors = (length: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({ index, embedding: Array.from({ length }, () => 0.5) }));
  /** A model of 64 dimensions. */
  const answerOf = (shortens: boolean) => {
    proxy.answers.embeddings = ({ body }) => {
      if (body.dimensions !== undefined && !shortens) return failure(400, "dimensions is not supported");
      return { json: { data: vectors(body.dimensions ?? 64, body.input.length) } };
    };
  };

  test("a model that never gives them: 400, and no store is made", async () => {
    answerOf(false);
    const before = await service.database.query("SELECT id FROM vector_stores");
    const refused = await service.post(storesPath, { embedding_model: "stiff", embedding_dimensions: 32 }).expect(400);
    expect(errorOf(refused)).toMatchObject({
      param: "embedding_dimensions",
      message: expect.stringMatching(/'stiff'.* 64 .* 32/) as unknown,
    });
    expect(await service.database.query("SELECT id FROM vector_stores")).toEqual(before);
    await service.post(storesPath, { embedding_model: "stiff", embedding_dimensions: 64 }).expect(200);
  });

  test.each([testDimensions + 1, testDimensions])("the settings' model as well: %d", async (embedding_dimensions) => {
    answerOf(false);
    const other = await startService({ environment: proxy.environment });
    try {
      const refused = await other.post(storesPath, { embedding_dimensions }).expect(400);
      expect(errorOf(refused).param).toBe("embedding_dimensions");
    } finally {
      await other.close();
    }
  });

  test("metadata that names a model never refuses a store, also while the proxy is away", async () => {
    proxy.answers.embeddings = () => "drop";
    const store = await create({ metadata: { embedding_model: "invoice-classifier" } });
    expect(store.warnings).toEqual([
      expect.stringMatching(/metadata.embedding_model "invoice-classifier" is not used/),
    ]);
  });

  test("a model that shortens its vectors: it is asked for them", async () => {
    answerOf(true);
    const { id } = await create({ embedding_model: "bendy", embedding_dimensions: 32 });
    await insert(id, "short");
    expect(proxy.asked.at(-1)?.body.dimensions).toBe(32);
  });

  test("the proxy is away: the store is made with a warning, and the first text finds out", async () => {
    proxy.answers.embeddings = () => "drop";
    const body = { embedding_model: "unseen", embedding_dimensions: 32 };
    const answer = await service.post(storesPath, body).expect(200);
    const store = answer.body as Made;
    expect(store.warnings).toEqual([expect.stringMatching(/embedding_dimensions 32 could not be tried .*'unseen'/)]);
    expect(answer.headers["x-vector-store-warning"]).toMatch(/could not be tried/);
    answerOf(false);
    const refused = await service.post(rowsPath(store.id), { content: "first" }).expect(502);
    expect(errorOf(refused).message).toMatch(/64 .*32/);
    await service.post(storesPath, { embedding_model: "gone" }).expect(200);
    proxy.answers.embeddings = () => "drop";
    await service.post(storesPath, { embedding_model: "never-seen" }).expect(503);
  });
});
