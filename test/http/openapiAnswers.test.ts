import { describe, expect, test } from "@jest/globals";
import { apiRoutes } from "../../src/http/app.js";
import request from "supertest";
import { testKey } from "../support/settings.js";
import { createStore, rowOf, rowsPath } from "../support/stores.js";
import { send } from "./requests.js";
import { service, operations } from "./openapiSupport.js";

const bearer = { authorization: `Bearer ${testKey}` };
const idOf = async (sent: request.Test) => ((await sent.expect(200)).body as { id: string }).id;
const newFile = (text: string) =>
  idOf(
    request(service.url)
      .post("/v1/files")
      .set(bearer)
      .field("purpose", "assistants")
      .attach("file", Buffer.from(text), `${text}.txt`),
  );
const formType = "multipart/form-data; boundary=----b";
function form(fields: Record<string, string>, text: string): Buffer {
  const part = (about: string, body: string) =>
    `------b\r\nContent-Disposition: form-data; ${about}\r\n\r\n${body}\r\n`;
  const parts = Object.entries(fields).map(([name, value]) => part(`name="${name}"`, value));
  return Buffer.from(`${parts.join("")}${part('name="file"; filename="f.txt"', text)}------b--\r\n`);
}

type Asked = [id: string, path: string, body?: object];
type Made = Awaited<ReturnType<typeof makeThings>>;

/** The objects that the requests use. */
async function makeThings() {
  const store = await createStore(service, { name: "a", description: "d", metadata: { a: 1 } });
  const temporary = await createStore(service, { expires_after: { anchor: "last_active_at", days: 1 } });
  const metadata = { chunk_index: 1, page: 2, section: "s", nested: { a: [1] }, file_id: "f", filename: "n" };
  await service.post(rowsPath(store), rowOf(1, { metadata })).expect(200);
  const [file, other, unwanted] = [await newFile("one"), await newFile("two"), await newFile("three")];
  const batch = await idOf(service.post(`/v1/vector_stores/${store}/file_batches`, { file_ids: [other] }));
  const upload = { filename: "u", purpose: "assistants", bytes: 1, mime_type: "text/plain" };
  const [done, givenUp] = [
    await idOf(service.post("/v1/uploads", upload)),
    await idOf(service.post("/v1/uploads", upload)),
  ];
  const part = await idOf(
    request(service.url).post(`/v1/uploads/${done}/parts`).set(bearer).attach("data", Buffer.from("x"), "part"),
  );
  return { store, temporary, file, other, unwanted, batch, upload, done, givenUp, part };
}

/** A request for every operation on stores and rows, by operation id; some operations have several. */
const storeRequests = ({ store, temporary }: Made): Asked[] => [
  ["postVectorStores", "/vector_stores", { name: "n", expires_after: { anchor: "last_active_at", days: 3 } }],
  ["getVectorStores", "/vector_stores?limit=2"],
  ["getVectorStores", "/vector_stores?limit=2&after=vs_0190000000007000800000000000000f&order=desc"],
  ["getVectorStoresVectorStoreId", `/vector_stores/${store}`],
  ["postVectorStoresVectorStoreId", `/vector_stores/${store}`, { name: "b" }],
  [
    "postVectorStoresVectorStoreId",
    `/vector_stores/${store}`,
    { search_mode: "hybrid", recall: "exact", language: "english" },
  ],
  [
    "postVectorStoresVectorStoreId",
    `/vector_stores/${store}`,
    { hybrid_search: { embedding_weight: 1, text_weight: 0.5 } },
  ],
  ["postVectorStoresVectorStoreIdReindex", `/vector_stores/${store}/reindex`],
  ["postVectorStoresVectorStoreIdEmbeddings", `/vector_stores/${store}/embeddings`, rowOf(2)],
  [
    "postVectorStoresVectorStoreIdEmbeddingsBatch",
    `/vector_stores/${store}/embeddings/batch`,
    { embeddings: [rowOf(3)] },
  ],
  ...["ids", "count"].map((kind): [string, string, object] => [
    "postVectorStoresVectorStoreIdEmbeddingsBatch",
    `/vector_stores/${store}/embeddings/batch`,
    { embeddings: [rowOf(4)], return: kind },
  ]),
  ...["replace", "replace", "skip"].map((rule, n): [string, string, object] => [
    "postVectorStoresVectorStoreIdEmbeddings",
    `/vector_stores/${store}/embeddings`,
    { ...rowOf(n, { id: "known" }), on_conflict: rule },
  ]),
  [
    "postVectorStoresVectorStoreIdEmbeddingsBatch",
    `/vector_stores/${store}/embeddings/batch?on_conflict=skip`,
    { embeddings: [rowOf(5, { id: "known" })] },
  ],
  ["getVectorStoresVectorStoreIdEmbeddingsEmbeddingId", `/vector_stores/${store}/embeddings/known?include=embedding`],
  ["patchVectorStoresVectorStoreIdEmbeddingsEmbeddingId", `/vector_stores/${store}/embeddings/known`, { metadata: {} }],
  ["postVectorStoresVectorStoreIdSearch", `/vector_stores/${store}/search`, { like: "known", limit: 1 }],
  ["deleteVectorStoresVectorStoreIdEmbeddingsEmbeddingId", `/vector_stores/${store}/embeddings/known`],
  ["getVectorStoresVectorStoreIdEmbeddings", `/vector_stores/${store}/embeddings`],
  ["getVectorStoresVectorStoreIdEmbeddings", `/vector_stores/${store}/embeddings?include=embedding`],
  [
    "getVectorStoresVectorStoreIdEmbeddings",
    `/vector_stores/${store}/embeddings?include=embedding&encoding_format=base64`,
  ],
  ["postVectorStoresVectorStoreIdSearch", `/vector_stores/${store}/search`, { query: "row" }],
  [
    "postVectorStoresVectorStoreIdSearch",
    `/vector_stores/${store}/search`,
    { query: ["a", "b"], rerank: true, return_metadata: false },
  ],
  [
    "postVectorStoresVectorStoreIdRag",
    `/vector_stores/${store}/rag`,
    { query: "row", rerank: true, messages: [{ role: "user", content: "hello" }] },
  ],
  ["postRag", "/rag", { query: "row", vector_store_ids: [store, temporary] }],
  ["postRerank", "/rerank", { query: "row", documents: ["a", "b"] }],
  ["postRerank", "/rerank", { query: "row", vector_store_id: store }],
  ["getRerankModels", "/rerank/models"],
  ["postVectorStoresVectorStoreId", `/vector_stores/${store}`, { rerank: false, rerank_model: "rerank" }],
  ["deleteVectorStoresVectorStoreIdEmbeddings", `/vector_stores/${store}/embeddings`, { all: true }],
  ["deleteVectorStoresVectorStoreId", `/vector_stores/${temporary}`],
];

/** The same for files, models and the service itself. */
const otherRequests = ({ store, file, unwanted, batch, upload, done, givenUp, part }: Made): Asked[] => [
  ["postFiles", "/files", form({ purpose: "assistants" }, "posted")],
  ["getFiles", "/files?limit=1"],
  ["getFilesFileId", `/files/${file}`],
  ["getFilesFileIdContent", `/files/${file}/content`],
  ["deleteFilesFileId", `/files/${unwanted}`],
  ["postUploads", "/uploads", { ...upload, expires_after: { anchor: "created_at", seconds: 3600 } }],
  ["postUploadsUploadIdParts", `/uploads/${givenUp}/parts`, form({}, "part")],
  ["postUploadsUploadIdComplete", `/uploads/${done}/complete`, { part_ids: [part] }],
  ["postUploadsUploadIdCancel", `/uploads/${givenUp}/cancel`],
  ["postVectorStoresVectorStoreIdFiles", `/vector_stores/${store}/files`, { file_id: file }],
  ["postVectorStoresVectorStoreIdFiles", `/vector_stores/${store}/files`, { texts: ["a text"] }],
  ["postVectorStoresVectorStoreIdUpload", `/vector_stores/${store}/upload`, form({ chunk_size: "100" }, "uploaded")],
  ["getVectorStoresVectorStoreIdFiles", `/vector_stores/${store}/files?filter=completed`],
  ["getVectorStoresVectorStoreIdFilesFileId", `/vector_stores/${store}/files/${file}`],
  ["getVectorStoresVectorStoreIdFilesFileIdContent", `/vector_stores/${store}/files/${file}/content`],
  ["postVectorStoresVectorStoreIdFilesFileId", `/vector_stores/${store}/files/${file}`, { attributes: { a: 1 } }],
  ["postVectorStoresVectorStoreIdFileBatches", `/vector_stores/${store}/file_batches`, { file_ids: ["file-no"] }],
  ["getVectorStoresVectorStoreIdFileBatchesBatchId", `/vector_stores/${store}/file_batches/${batch}`],
  ["getVectorStoresVectorStoreIdFileBatchesBatchIdFiles", `/vector_stores/${store}/file_batches/${batch}/files`],
  ["postVectorStoresVectorStoreIdFileBatchesBatchIdCancel", `/vector_stores/${store}/file_batches/${batch}/cancel`],
  ["deleteVectorStoresVectorStoreIdFilesFileId", `/vector_stores/${store}/files/${file}`],
  ["deleteVectorStoresVectorStoreId", `/vector_stores/${store}`],
  ["getModels", "/models"],
  ["getEmbeddingsModels", "/embeddings/models"],
  ["getVisionModels", "/vision/models"],
  ["postEmbeddings", "/embeddings", { input: "x" }],
  ["postEmbeddings", "/embeddings", { input: ["x", "y"], encoding_format: "base64" }],
  ["getHealth", "/health"],
  ["getLivez", "/livez"],
  ["getReadyz", "/readyz"],
];

async function ask([id, path, body]: Asked, all: ReturnType<typeof operations>): Promise<void> {
  const found = all.find(({ operation }) => operation.operationId === id);
  const route = apiRoutes.find(
    (each) =>
      each.method === found?.method && found.path.replace("/v1", "") === each.path.replaceAll(/:(\w+)/g, "{$1}"),
  );
  if (found === undefined || route === undefined) throw new Error(`${id} is not in the document`);
  const answer = await send(service.url, {
    method: found.method.toUpperCase(),
    path: `/v1${path}`,
    ...(Buffer.isBuffer(body) && { headers: { "content-type": formType } }),
    ...(body && { body }),
  });
  expect({ id, status: answer.status }).toEqual({ id, status: 200 });
  if (route.answerType !== undefined) {
    expect(answer.headers["content-type"]).toBe(route.answerType);
    return;
  }
  const parsed = route.answer.safeParse(JSON.parse(answer.text));
  expect({ id, path, problem: parsed.error?.issues }).toEqual({ id, path, problem: undefined });
  // zod drops fields that a schema does not name, so an undocumented field shows as a difference.
  expect(parsed.data).toEqual(JSON.parse(answer.text));
}

describe("the routes' real answers", () => {
  test("match the document, for every route", async () => {
    const made = await makeThings();
    const requests = [...storeRequests(made), ...otherRequests(made)];
    const all = operations();
    for (const each of requests) await ask(each, all);
    const asked = [...new Set(requests.map(([id]) => id))];
    expect(asked.sort()).toEqual(all.map(({ operation }) => operation.operationId).sort());
  });
});
