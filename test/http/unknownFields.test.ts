import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { apiRoutes } from "../../src/http/app.js";
import { foreignFields } from "../../src/http/wire/foreignFields.js";
import type { Route } from "../../src/http/route.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowOf, rowsPath } from "../support/stores.js";
import { errorOf, send } from "./requests.js";

/** Of an administrator, who may use every route. */
const master = "sk-master-0123456789abcdef";
let service: TestService;
let store: string;
beforeAll(async () => {
  service = await startService({ environment: { LITELLM_MASTER_KEY: master } });
  store = await createStore(service);
  await service.post(rowsPath(store), rowOf(1, { id: "one" })).expect(200);
  await service.post(rowsPath(store), rowOf(2, { id: "two" })).expect(200);
});
afterAll(() => service.close());

const private_ = apiRoutes.filter(({ may }) => may !== "public");
const nameOf = ({ method, path }: Pick<Route, "method" | "path">) => `${method} ${path}`;
const values: Record<string, string> = { ":subject": "user:unknown", ":key_hash": "0".repeat(64) };
const urlOf = ({ path }: Route) => `/v1${path.replaceAll(/:\w+/g, (name) => values[name] ?? "unknown")}`;
const isOpen = (schema: z.ZodType | undefined) => schema instanceof z.ZodObject && schema.def.catchall !== undefined;
const form = (fields: Record<string, string>) => ({
  headers: { "content-type": "multipart/form-data; boundary=b" },
  body:
    Object.entries(fields)
      .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join("") + '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ntext\r\n--b--\r\n',
});

/** Routes whose other fields go to the proxy. */
const passing = ["post /embeddings", "post /rerank", "post /v2/rerank"];

test.each([
  ["?=x", { query: "a" }],
  ["", { query: "a", "": null }],
])("a field without a name is named, too: %j %j", async (query, body) => {
  const answer = await service.post(`/v1/vector_stores/${store}/search${query}`, body).expect(400);
  expect(errorOf(answer)).toMatchObject({ param: '""', code: "unknown_parameter" });
});

describe("every route refuses what it does not know", () => {
  test.each(private_.map((route) => [nameOf(route), route] as const))("%s: a query parameter", async (_, route) => {
    const path = `${urlOf(route)}?lmit=1`;
    const answer = await send(service.url, { method: route.method.toUpperCase(), path, key: master });
    expect(answer.status).toBe(400);
    const known = Object.keys((route.query as z.ZodObject | undefined)?.shape ?? {});
    expect(errorOf(answer)).toMatchObject({
      param: "lmit",
      code: "unknown_parameter",
      message: expect.stringMatching(known.includes("limit") ? /did you mean "limit"\?$/ : /^lmit: unknown parameter;/),
    });
  });

  test.each(private_.map((route) => [nameOf(route), route] as const))(
    "%s: a field of the body",
    async (name, route) => {
      if (passing.includes(name)) {
        expect(isOpen(route.body)).toBe(true);
        return;
      }
      expect(isOpen(route.body)).toBe(false);
      const method = route.method.toUpperCase();
      const sent =
        route.form === undefined ? { body: { metadata_filtr: { tenant: "A" } } } : form({ metadata_filtr: "A" });
      // A form is read once its store or upload is known.
      const path = urlOf(route).replace("vector_stores/unknown", `vector_stores/${store}`);
      if (route.path.includes(":upload_id/parts")) return;
      const answer = await send(service.url, { method, path, ...sent, key: master });
      expect({ status: answer.status, ...errorOf(answer) }).toMatchObject({
        status: 400,
        param: "metadata_filtr",
        code: "unknown_parameter",
      });
    },
  );

  test("the parts of an upload", async () => {
    const upload = { filename: "a.txt", purpose: "assistants", bytes: 4, mime_type: "text/plain" };
    const { id } = (await service.post("/v1/uploads", upload).expect(200)).body as { id: string };
    const answer = await send(service.url, { path: `/v1/uploads/${id}/parts`, ...form({ offset: "1" }) });
    expect(errorOf(answer)).toMatchObject({ param: "offset", code: "unknown_parameter" });
  });

  test("a health probe is warned, not refused", async () => {
    for (const { path } of apiRoutes.filter(({ tag }) => tag === "Health")) {
      const { headers } = await service.get(`${path}?verbose`).expect(200);
      expect(headers["x-vector-store-warning"]).toMatch(/^verbose: unknown parameter;/);
    }
  });
});

const search = { query: "text" };
/** Path, body, the unknown field's path, and the field that was meant. */
const slips: [string, object, string, string | null][] = [
  ["search", { ...search, filter: { tenant: "A" } }, "filter", "filters"],
  ["search", { ...search, where: { tenant: "A" } }, "where", "filters"],
  ["search", { ...search, metadata_filter: { tenant: "A" } }, "metadata_filter", "filters"],
  ["search", { ...search, fliters: { tenant: "A" } }, "fliters", "filters"],
  ["search", { ...search, topk: 3 }, "topk", "top_k"],
  ["search", { ...search, topK: 3 }, "topK", "top_k"],
  ["search", { ...search, k: 3 }, "k", "max_num_results"],
  ["search", { ...search, n_results: 3 }, "n_results", "max_num_results"],
  ["search", { ...search, max_num_result: 3 }, "max_num_result", "max_num_results"],
  ["search", { ...search, maxNumResults: 3 }, "maxNumResults", "max_num_results"],
  ["search", { text: "x" }, "text", "query"],
  ["search", { ...search, score_threshold: 0.9 }, "score_threshold", "ranking_options.score_threshold"],
  ["search", { ...search, ranking_options: { threshold: 0.9 } }, "ranking_options.threshold", "score_threshold"],
  ["search", { ...search, ranking_options: { x: 1 } }, "ranking_options.x", null],
  ["search", { ...search, __proto__x: 1 }, "__proto__x", null],
  ["embeddings", { ...rowOf(1), metdata: { tenant: "A" } }, "metdata", "metadata"],
  ["embeddings", { ...rowOf(1), text: "x" }, "text", "content"],
  ["embeddings/batch", { embeddings: [rowOf(1), { ...rowOf(2), metdata: {} }] }, "embeddings[1].metdata", "metadata"],
  ["embeddings/batch", { embeddings: [rowOf(1)], retrn: "ids" }, "retrn", "return"],
  ["embeddings/batch", { rows: [rowOf(1)] }, "rows", "embeddings"],
  ["files", { file_id: "file-1", metadata: { a: 1 } }, "metadata", "attributes"],
  ["files", { file_id: "file-1", chunking_strategy: { type: "auto", static: {} } }, "chunking_strategy.static", null],
  [
    "files",
    {
      file_id: "file-1",
      chunking_strategy: { type: "static", static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0, foo: 1 } },
    },
    "chunking_strategy.static.foo",
    null,
  ],
  ["file_batches", { files: [{ file_id: "file-1", atributes: {} }] }, "files[0].atributes", "attributes"],
  ["rag", { ...search, filter: { tenant: "A" } }, "filter", "filters"],
  ["rag", { messages: [{ role: "user", content: "x", contents: "y" }] }, "messages[0].contents", "content"],
];

describe("the field that was meant is named", () => {
  test.each(slips)("%s %j", async (path, body, param, meant) => {
    const answer = await send(service.url, { path: `/v1/vector_stores/${store}/${path}`, body });
    expect(answer.status).toBe(400);
    const { message, ...error } = errorOf(answer);
    expect(error).toEqual({ type: "invalid_request_error", param, code: "unknown_parameter" });
    if (meant === null) expect(message).toMatch(/; known here: |; nothing is taken here$/);
    else expect(message).toBe(`${param}: unknown parameter; did you mean "${meant}"?`);
  });

  test("a deletion with a misspelt filter deletes nothing", async () => {
    const method = "DELETE";
    for (const body of [{ all: true, filter: { nr: 1 } }, { ids: ["one"], where: {} }, { filtesr: {} }]) {
      const answer = await send(service.url, { method, path: rowsPath(store), body });
      expect(errorOf(answer)).toMatchObject({ code: "unknown_parameter", message: /did you mean "filters"\?/ });
    }
    // The store's own route takes no body: it would have deleted the store.
    const path = `/v1/vector_stores/${store}`;
    const whole = await send(service.url, { method, path, body: { filters: { nr: 1 } } });
    expect(errorOf(whole)).toMatchObject({
      param: "filters",
      message: "filters: unknown parameter; nothing is taken here",
    });
    expect((await send(service.url, { method, path, body: [1] })).status).toBe(400);
    const other = { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "filters=1" };
    expect((await send(service.url, { method, path, ...other })).status).toBe(415);
    const rows = await service.get(rowsPath(store)).expect(200);
    expect((rows.body as { data: unknown[] }).data).toHaveLength(2);
  });

  test("an empty body, {} or null on a route without a body says nothing", async () => {
    for (const body of ["", "{}", "null"]) {
      const made = await createStore(service);
      const answer = await send(service.url, { method: "DELETE", path: `/v1/vector_stores/${made}`, body });
      expect(answer.status).toBe(200);
    }
  });

  test("a line of a stream", async () => {
    const answer = await send(service.url, {
      path: `${rowsPath(store)}/batch`,
      headers: { "content-type": "application/x-ndjson" },
      body: `\n${JSON.stringify({ ...rowOf(3), metdata: {} })}\n`,
    });
    expect(errorOf(answer)).toMatchObject({ param: "line 2.metdata", code: "unknown_parameter" });
  });

  test("reranking a store takes only our fields; reranking documents passes all, but has no filter", async () => {
    const ask = async (body: object) => errorOf(await send(service.url, { path: "/v1/rerank", body }));
    const ofStore = { query: "x", vector_store_id: store };
    expect(await ask({ ...ofStore, filter: { a: 1 } })).toMatchObject({ param: "filter", code: "unknown_parameter" });
    expect(await ask({ ...ofStore, return_documents: true })).toMatchObject({ code: "no_rerank_model" });
    expect(await ask({ query: "x", documents: ["a"], own: 1 })).toMatchObject({ code: "no_rerank_model" });
    expect(await ask({ query: "x", documents: ["a"], filters: { a: 1 } })).toMatchObject({ param: "filters" });
  });

  test("attributes that would not be used are refused", async () => {
    const path = `/v1/vector_stores/${store}/files`;
    const texts = await send(service.url, { path, body: { texts: ["a"], attributes: { tenant: "A" } } });
    expect(errorOf(texts)).toMatchObject({ param: "attributes", message: /`metadatas`/ });
    const file = await send(service.url, { path, body: { file_id: "file-1", metadatas: [{ tenant: "A" }] } });
    expect(errorOf(file)).toMatchObject({ param: "metadatas", message: /`attributes`/ });
  });
});

describe("what LiteLLM and other known clients send", () => {
  test("LiteLLM's own bodies, with null for what is absent", async () => {
    const create = { name: null, file_ids: null, expires_after: null, chunking_strategy: null, metadata: null };
    const made = (await service.post("/v1/vector_stores", create).expect(200)).body as { id: string };
    const asked = { query: "x", filters: null, max_num_results: null, ranking_options: null, rewrite_query: null };
    const { headers } = await service.post(`/v1/vector_stores/${made.id}/search`, asked).expect(200);
    expect(headers["x-vector-store-warning"]).toBeUndefined();
  });

  test("a field of the list is ignored on its routes only", async () => {
    const foreign = { custom_llm_provider: "pg_vector" };
    await service.post("/v1/vector_stores", { ...foreign, provider_id: "pgvector", name: "ogx" }).expect(200);
    await service.get("/v1/vector_stores?custom_llm_provider=pg_vector").expect(200);
    const path = `/v1/vector_stores/${store}/search`;
    const tuned = { ranking_options: { ranker: "weighted", alpha: 0.5 } };
    const { headers } = await service.post(path, { ...search, ...foreign, ...tuned }).expect(200);
    expect(headers["x-vector-store-warning"]).toMatch(/^ranking_options\.alpha is not used;/);
    const answer = await send(service.url, { path, body: { ...search, provider_id: "x" } });
    expect(errorOf(answer)).toMatchObject({ param: "provider_id", code: "unknown_parameter" });
  });

  test("the list names real routes and senders, and nothing that narrows a request", () => {
    const routes = apiRoutes.map(nameOf);
    for (const field of foreignFields) {
      expect(routes).toEqual(expect.arrayContaining([...field.routes]));
      expect(field.sentBy.length).toBeGreaterThan(20);
      expect(field.path).not.toMatch(/filter|where|limit|top|max_num|^ids?$|name|after|before|query|purpose|threshold/);
    }
  });

  test("OGX's names for the dimensions and the search mode count", async () => {
    const made = await service.post("/v1/vector_stores", { embedding_dimension: 7 }).expect(200);
    expect(made.body).toMatchObject({ embedding_dimensions: 7 });
    const keyword = { ...search, search_mode: "keyword" };
    const page = await service.post(`/v1/vector_stores/${store}/search`, keyword).expect(200);
    expect(page.body).toMatchObject({ data: [] });
  });
});
