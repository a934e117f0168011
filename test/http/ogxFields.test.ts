import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type TestService, startService } from "../support/service.js";
import { createStore, searchPath } from "../support/stores.js";
import { errorOf, send } from "./requests.js";

/** What OGX's (Llama Stack's) clients send beside OpenAI's fields, as its own integration tests do. */
const model = "built-in-hashing";
let service: TestService;
let store: string;
let file: string;
beforeAll(async () => {
  service = await startService();
  store = await createStore(service);
  file = await attach({ texts: ["This is a test file"] });
});
afterAll(() => service.close());

/** Attaches one text. @returns the id of its file */
async function attach(body: object): Promise<string> {
  const added = await service.post(`/v1/vector_stores/${store}/files`, body).expect(200);
  return (added.body as { data: [{ id: string }] }).data[0].id;
}

describe("embedding_model where files are attached", () => {
  const ways: [string, string, () => object][] = [
    ["a file", "files", () => ({ file_id: file })],
    ["texts", "files", () => ({ texts: ["a text"] })],
    ["a batch", "file_batches", () => ({ file_ids: [file] })],
  ];

  test.each(ways)("%s: the store's own is taken", async (_way, path, body) => {
    await service.post(`/v1/vector_stores/${store}/${path}`, { ...body(), embedding_model: model }).expect(200);
    await service.post(`/v1/vector_stores/${store}/${path}`, { ...body(), embedding_model: null }).expect(200);
  });

  test.each(ways)("%s: another is refused, and nothing is attached", async (_way, path, body) => {
    const list = async () => (await service.get(`/v1/vector_stores/${store}/files`).expect(200)).body as unknown;
    const before = await list();
    const answer = await send(service.url, {
      path: `/v1/vector_stores/${store}/${path}`,
      body: { ...body(), embedding_model: "text-embedding-3-small" },
    });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toEqual({
      message: `embedding_model: the vector store's model is '${model}'; a store's files cannot have another`,
      type: "invalid_request_error",
      param: "embedding_model",
      code: "model_mismatch",
    });
    expect(await list()).toEqual(before);
  });
});

describe("the content of a file", () => {
  const content = async (query: string) => {
    const page = await service.get(`/v1/vector_stores/${store}/files/${file}/content${query}`).expect(200);
    return (page.body as { data: { embedding: number[] | null }[] }).data;
  };
  const plain = { type: "text", text: "This is a test file", embedding: null, metadata: null, chunk_metadata: null };

  test("the text alone, unless more is asked for", async () => {
    expect(await content("")).toEqual([plain]);
    expect(await content("?include_embeddings=false&include_metadata=false")).toEqual([plain]);
  });

  test("include_embeddings adds the vector with which the chunk is found", async () => {
    const [chunk] = await content("?include_embeddings=true");
    expect(chunk).toEqual({ ...plain, embedding: expect.any(Array) });
    const query = { embedding: chunk?.embedding, max_num_results: 1 };
    const page = await service.post(searchPath(store), query).expect(200);
    expect(page.body).toMatchObject({ data: [{ file_id: file, score: expect.closeTo(1, 5) }] });
  });

  test("include_metadata adds the metadata, and the id by which the chunk is read", async () => {
    const [chunk] = await content("?include_metadata=true");
    expect(chunk).toEqual({
      ...plain,
      metadata: expect.objectContaining({ file_id: file, chunk_index: 0 }),
      chunk_metadata: {
        chunk_id: expect.any(String),
        document_id: file,
        created_timestamp: expect.any(Number),
      },
    });
    const { chunk_metadata: named } = chunk as unknown as { chunk_metadata: { chunk_id: string } };
    const row = await service.get(`/v1/vector_stores/${store}/embeddings/${named.chunk_id}`).expect(200);
    expect(row.body).toMatchObject({ content: plain.text });
  });

  test("a flag that is neither true nor false is refused", async () => {
    const path = `/v1/vector_stores/${store}/files/${file}/content?include_embeddings=yes`;
    const answer = await send(service.url, { method: "GET", path });
    expect({ status: answer.status, ...errorOf(answer) }).toMatchObject({ status: 400, param: "include_embeddings" });
  });
});

test("contextual chunking is refused by name", async () => {
  const sizes = { max_chunk_size_tokens: 200, chunk_overlap_tokens: 50 };
  const answer = await send(service.url, {
    path: `/v1/vector_stores/${store}/files`,
    body: { file_id: file, chunking_strategy: { type: "contextual", contextual: sizes } },
  });
  expect({ status: answer.status, ...errorOf(answer) }).toMatchObject({
    status: 400,
    param: "chunking_strategy",
    message: /^chunking_strategy: 'contextual' \(OGX's\) needs a chat model .*; expected \{"type": "auto"\} or /,
  });
});

test("rewrite_query without CHAT_MODEL searches the query as it is, and says so", async () => {
  const asked = { query: "a test file", rewrite_query: true };
  const page = await service.post(searchPath(store), asked).expect(200);
  expect(page.body).toMatchObject({ search_query: ["a test file"] });
  expect(page.headers["x-vector-store-warning"]).toBe(
    "query not rewritten: CHAT_MODEL and the proxy that serves it are not both configured",
  );
  const quiet = await service.post(searchPath(store), { ...asked, rewrite_query: false }).expect(200);
  expect(quiet.headers["x-vector-store-warning"]).toBeUndefined();
});
