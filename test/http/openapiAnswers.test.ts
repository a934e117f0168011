import { describe, expect, test } from "@jest/globals";
import { apiRoutes } from "../../src/http/app.js";
import request from "supertest";
import { testKey } from "../support/settings.js";
import { sha } from "../support/fakeLitellmAdmin.js";
import { createStore, rowOf, rowsPath } from "../support/stores.js";
import { urlTemplate } from "../../src/http/openapi.js";
import { send } from "./requests.js";
import { litellm, operations, service } from "./openapiSupport.js";

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
  litellm.users.set("ann", "internal_user");
  litellm.teams.set("red", { members_with_roles: [{ user_id: "ann", role: "user" }] });
  litellm.keys.set("sk-spare", { user_id: "ann", key_alias: "spare" });
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
  const [session, mine] = [await signIn(), await signIn()];
  const key = await idOf(asMaster("/admin/keys").send({ name: "first", scope: "read" }));
  return { store, temporary, file, other, unwanted, batch, upload, done, givenUp, part, key, session, mine };
}
const signIn = () =>
  idOf(request(service.url).post("/v1/sessions").set("sec-fetch-site", "same-origin").send({ key: litellm.masterKey }));
const asMaster = (path: string) =>
  request(service.url).post(`/v1${path}`).set("authorization", `Bearer ${litellm.masterKey}`);

/** A request for every operation on stores and rows, by operation id; some operations have several. */
const storeRequests = ({ store, temporary }: Made): Asked[] => [
  ["createVectorStore", "/vector_stores", { name: "n", expires_after: { anchor: "last_active_at", days: 3 } }],
  ["listVectorStores", "/vector_stores?limit=2"],
  ["listVectorStores", "/vector_stores?limit=2&after=vs_0190000000007000800000000000000f&order=desc"],
  ["retrieveVectorStore", `/vector_stores/${store}`],
  ["updateVectorStore", `/vector_stores/${store}`, { name: "b" }],
  ["updateVectorStore", `/vector_stores/${store}`, { search_mode: "hybrid", recall: "exact", language: "english" }],
  ["updateVectorStore", `/vector_stores/${store}`, { hybrid_search: { embedding_weight: 1, text_weight: 0.5 } }],
  ["reindexVectorStore", `/vector_stores/${store}/reindex`],
  ["insertEmbedding", `/vector_stores/${store}/embeddings`, rowOf(2)],
  ["insertEmbeddings", `/vector_stores/${store}/embeddings/batch`, { embeddings: [rowOf(3)] }],
  ...["ids", "count"].map((kind): [string, string, object] => [
    "insertEmbeddings",
    `/vector_stores/${store}/embeddings/batch`,
    { embeddings: [rowOf(4)], return: kind },
  ]),
  ...["replace", "replace", "skip"].map((rule, n): [string, string, object] => [
    "insertEmbedding",
    `/vector_stores/${store}/embeddings`,
    { ...rowOf(n, { id: "known" }), on_conflict: rule },
  ]),
  [
    "insertEmbeddings",
    `/vector_stores/${store}/embeddings/batch?on_conflict=skip`,
    { embeddings: [rowOf(5, { id: "known" })] },
  ],
  ["retrieveEmbedding", `/vector_stores/${store}/embeddings/known?include=embedding`],
  ["updateEmbedding", `/vector_stores/${store}/embeddings/known`, { metadata: {} }],
  ["searchVectorStore", `/vector_stores/${store}/search`, { like: "known", limit: 1 }],
  ["deleteEmbedding", `/vector_stores/${store}/embeddings/known`],
  ["listEmbeddings", `/vector_stores/${store}/embeddings`],
  ["listEmbeddings", `/vector_stores/${store}/embeddings?include=embedding`],
  ["listEmbeddings", `/vector_stores/${store}/embeddings?include=embedding&encoding_format=base64`],
  ["searchVectorStore", `/vector_stores/${store}/search`, { query: "row" }],
  ["searchVectorStore", `/vector_stores/${store}/search`, { query: ["a", "b"], rerank: true, return_metadata: false }],
  [
    "answerFromVectorStore",
    `/vector_stores/${store}/rag`,
    { query: "row", rerank: true, messages: [{ role: "user", content: "hello" }] },
  ],
  ["answerFromVectorStores", "/rag", { query: "row", vector_store_ids: [store, temporary] }],
  ["rerankDocuments", "/rerank", { query: "row", documents: ["a", "b"] }],
  ["rerankDocuments", "/rerank", { query: "row", vector_store_id: store }],
  ["rerankDocumentsV2", "/v2/rerank", { query: "row", documents: ["a", "b"] }],
  ["listRerankModels", "/rerank/models"],
  ["updateVectorStore", `/vector_stores/${store}`, { rerank: false, rerank_model: "rerank" }],
  ["deleteEmbeddings", `/vector_stores/${store}/embeddings`, { all: true }],
  ["deleteVectorStore", `/vector_stores/${temporary}`],
];

/** The same for files, models and the service itself. */
const otherRequests = ({ store, file, unwanted, batch, upload, done, givenUp, part }: Made): Asked[] => [
  ["createFile", "/files", form({ purpose: "assistants" }, "posted")],
  ["listFiles", "/files?limit=1"],
  ["retrieveFile", `/files/${file}`],
  ["downloadFile", `/files/${file}/content`],
  ["deleteFile", `/files/${unwanted}`],
  ["createUpload", "/uploads", { ...upload, expires_after: { anchor: "created_at", seconds: 3600 } }],
  ["addUploadPart", `/uploads/${givenUp}/parts`, form({}, "part")],
  ["completeUpload", `/uploads/${done}/complete`, { part_ids: [part] }],
  ["cancelUpload", `/uploads/${givenUp}/cancel`],
  ["createVectorStoreFile", `/vector_stores/${store}/files`, { file_id: file }],
  ["createVectorStoreFile", `/vector_stores/${store}/files`, { texts: ["a text"] }],
  ["uploadDocuments", `/vector_stores/${store}/upload`, form({ chunk_size: "100" }, "uploaded")],
  ["listVectorStoreFiles", `/vector_stores/${store}/files?filter=completed`],
  ["retrieveVectorStoreFile", `/vector_stores/${store}/files/${file}`],
  ["retrieveVectorStoreFileContent", `/vector_stores/${store}/files/${file}/content`],
  ["updateVectorStoreFile", `/vector_stores/${store}/files/${file}`, { attributes: { a: 1 } }],
  ["createVectorStoreFileBatch", `/vector_stores/${store}/file_batches`, { file_ids: ["file-no"] }],
  ["retrieveVectorStoreFileBatch", `/vector_stores/${store}/file_batches/${batch}`],
  ["listVectorStoreFileBatchFiles", `/vector_stores/${store}/file_batches/${batch}/files`],
  ["cancelVectorStoreFileBatch", `/vector_stores/${store}/file_batches/${batch}/cancel`],
  ["deleteVectorStoreFile", `/vector_stores/${store}/files/${file}`],
  ["deleteVectorStore", `/vector_stores/${store}`],
  ["listModels", "/models"],
  ["retrieveModel", "/models/embed"],
  ["listEmbeddingModels", "/embeddings/models"],
  ["listVisionModels", "/vision/models"],
  ["createEmbeddings", "/embeddings", { input: "x" }],
  ["createEmbeddings", "/embeddings", { input: ["x", "y"], encoding_format: "base64" }],
  ["getHealth", "/health"],
  ["getLiveness", "/livez"],
  ["getReadiness", "/readyz"],
];

/** Of a key that LiteLLM has. */
const spare = sha("sk-spare");

/** The same for permissions, keys, limits and usage; asked by an administrator. */
const accessRequests = ({ store, key, session, mine }: Made): Asked[] => [
  ["getMe", "/me"],
  ["listMyVectorStores", "/me/vector_stores?sort=name&limit=1"],
  ["retrieveOwnPermission", `/vector_stores/${store}/permissions/me`],
  ["createSession", "/sessions", { key: litellm.masterKey }],
  ["signOut", "/sessions/current"],
  ["listSessions", "/sessions"],
  ["deleteSession", `/sessions/${mine}`],
  ["listAllSessions", "/admin/sessions?limit=1"],
  ["deleteAnySession", `/admin/sessions/${session}`],
  ["grantPermission", `/vector_stores/${store}/permissions/user:ann`, { permission: "read" }],
  ["listPermissions", `/vector_stores/${store}/permissions`],
  ["revokePermission", `/vector_stores/${store}/permissions/user:ann`],
  ["transferVectorStore", `/vector_stores/${store}/owner`, { user_id: "ann" }],
  ["createKey", "/admin/keys", { name: "second", scope: "search", vector_store_ids: [store], expires_in_seconds: 60 }],
  ["listKeys", "/admin/keys"],
  ["rotateKey", `/admin/keys/${key}/rotate`, { overlap_seconds: 60 }],
  ["revokeKey", `/admin/keys/${key}`],
  ["setLimits", "/admin/limits/user:ann", { bytes: null, vector_stores: 3 }],
  ["listLimits", "/admin/limits"],
  ["deleteLimits", "/admin/limits/user:ann"],
  ["getAllowances", "/limits"],
  ["getUsage", "/usage"],
  ["getAllUsage", "/admin/usage?group_by=day,action"],
  ["getStatus", "/admin/status"],
  ["listSettings", "/admin/settings"],
  ["runDoctor", "/admin/doctor"],
  ["listAudit", "/admin/audit?limit=2"],
  ["listAllVectorStores", "/admin/vector_stores?sort=bytes&limit=1"],
  ["listUsers", "/admin/users"],
  ["listUsers", "/admin/users?source=service&limit=1"],
  ["retrieveUser", "/admin/users/ann"],
  ["listTeams", "/admin/teams"],
  ["retrieveTeam", "/admin/teams/red"],
  ["createLitellmKey", "/admin/litellm_keys", { user_id: "ann", alias: "a", expires_in_seconds: 60, max_budget: 1 }],
  ["listLitellmKeys", "/admin/litellm_keys"],
  ["blockLitellmKey", `/admin/litellm_keys/${spare}/block`],
  ["unblockLitellmKey", `/admin/litellm_keys/${spare}/unblock`],
  ["rotateLitellmKey", `/admin/litellm_keys/${spare}/rotate`, { overlap_seconds: 60 }],
  ["retrieveOwner", "/admin/owners/user:ann"],
  ["transferOwner", "/admin/owners/user:ann/transfer", { to: "team:red" }],
  ["eraseOwner", "/admin/owners/user:leaver/erase", { confirm: "user:leaver" }],
];

async function ask([id, path, body]: Asked, all: ReturnType<typeof operations>, key = testKey): Promise<void> {
  const found = all.find(({ operation }) => operation.operationId === id);
  const route = apiRoutes.find((each) => each.method === found?.method && found.path === urlTemplate(each));
  if (found === undefined || route === undefined) throw new Error(`${id} is not in the document`);
  const answer = await send(service.url, {
    method: found.method.toUpperCase(),
    path: `/v1${path}`,
    key,
    headers: { "sec-fetch-site": "same-origin", ...(Buffer.isBuffer(body) && { "content-type": formType }) },
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
    const all = operations();
    const access = accessRequests(made);
    for (const each of access) await ask(each, all, litellm.masterKey);
    const others = [...storeRequests(made), ...otherRequests(made)];
    for (const each of others) await ask(each, all);
    const requests = [...access, ...others];
    const asked = [...new Set(requests.map(([id]) => id))];
    expect(asked.sort()).toEqual(all.map(({ operation }) => operation.operationId).sort());
  });
});
