import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { apiRoutes } from "../../src/http/app.js";
import { type OpenApiDocument, buildOpenApi } from "../../src/http/openapi.js";
import request from "supertest";
import { testKey } from "../support/settings.js";
import { type FakeProxy, startFakeProxy } from "../support/fakeProxy.js";
import { type TestService, startService } from "../support/service.js";
import { createStore, rowOf, rowsPath } from "../support/stores.js";
import { send } from "./requests.js";

let service: TestService;
let document: OpenApiDocument;
let proxy: FakeProxy;
beforeAll(async () => {
  proxy = await startFakeProxy();
  service = await startService({
    environment: { ...proxy.environment, CHAT_MODEL: "chat", API_URL: "https://vectors.example" },
  });
  const { text } = await send(service.url, { path: "/openapi.json", method: "GET", key: null });
  document = JSON.parse(text) as OpenApiDocument;
});
afterAll(async () => {
  await service.close();
  await proxy[Symbol.asyncDispose]();
});

/** Every object in a JSON value with its path. */
function* objectsIn(value: unknown, path = "#"): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== "object" || value === null) return;
  yield [path, value as Record<string, unknown>];
  for (const [key, item] of Object.entries(value)) yield* objectsIn(item, `${path}/${key}`);
}
const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe("the OpenAPI document", () => {
  test("has every route, once, with an id of its own, and nothing else", () => {
    const expected = apiRoutes.map(
      (route) => `${route.method} ${route.may === "public" ? "" : "/v1"}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`,
    );
    const named = operations().map(({ method, path }) => `${method} ${path}`);
    expect([...named].sort()).toEqual([...expected].sort());
    expect(new Set(operations().map(({ operation }) => operation.operationId)).size).toBe(apiRoutes.length);
    expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "https://vectors.example" }] });
  });

  test("every reference leads to a schema, and every schema is used", () => {
    const references = [...objectsIn(document)].flatMap(([, each]) =>
      typeof each.$ref === "string" ? [each.$ref] : [],
    );
    const known = Object.keys(document.components.schemas).map((id) => `#/components/schemas/${id}`);
    expect(references.filter((each) => !known.includes(each))).toEqual([]);
    expect(known.filter((each) => !references.includes(each))).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/\$defs|definitions|\$schema/);
  });

  test("every parameter of a path is declared, and those of the query are described by their meaning", () => {
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = operation.parameters.filter((each) => each.in === "path");
      expect(declared.map((each) => each.name)).toEqual(inPath);
      expect(declared.every((each) => each.required && each.description !== undefined)).toBe(true);
    }
    const list = document.paths["/v1/vector_stores"]?.get?.parameters ?? [];
    expect(list.find((each) => each.name === "limit")).toEqual({
      name: "limit",
      in: "query",
      required: false,
      schema: { type: "integer", minimum: 1, maximum: 100, default: 20 },
    });
    expect(list.find((each) => each.name === "order")?.schema).toEqual({
      type: "string",
      enum: ["asc", "desc"],
      default: "desc",
    });
  });

  test("every field of a request says its type and its limits", () => {
    const schemas = document.components.schemas;
    const field = (schema: string, name: string) =>
      (schemas[schema]?.properties as Record<string, object> | undefined)?.[name];
    for (const schema of Object.keys(schemas).filter((id) => /Request$|Input$/.test(id))) {
      for (const [name, each] of Object.entries(schemas[schema]?.properties ?? {})) {
        const described = Object.keys(each as object).some((word) => /^(type|anyOf|oneOf|\$ref)$/.test(word));
        expect({ schema, name, described }).toEqual({ schema, name, described: true });
      }
    }
    expect(field("SearchRequest", "max_num_results")).toMatchObject({
      anyOf: [{ type: "integer", minimum: 1, maximum: 50 }, { type: "null" }],
    });
    expect(field("SearchRequest", "limit")).toMatchObject({ anyOf: [{ minimum: 1, maximum: 100 }, { type: "null" }] });
    expect(field("CreateVectorStoreRequest", "metadata")).toMatchObject({
      anyOf: [{ type: "object", maxProperties: 16, propertyNames: { maxLength: 64 } }, { type: "null" }],
    });
    expect(field("CreateEmbeddingBatchRequest", "embeddings")).toMatchObject({
      minItems: 1,
      maxItems: 10_000,
      items: { $ref: "#/components/schemas/EmbeddingInput" },
    });
    expect(field("EmbeddingInput", "content")).toMatchObject({ type: "string", minLength: 1, maxLength: 10_485_760 });
    expect(schemas.EmbeddingInput?.required).toEqual(["content"]);
  });

  test("needs the key for all but the public routes", () => {
    expect(document.security).toEqual([{ bearer: [] }]);
    const open = operations().filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path).sort()).toEqual(["/health", "/livez", "/readyz"]);
  });

  test("is the same at every call and every address, and made anew it is the same again", async () => {
    const texts = await Promise.all(
      ["/openapi.json", "/v1/openapi.json", "/openapi.json"].map(
        async (path) => (await send(service.url, { path, method: "GET", key: null })).text,
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(JSON.stringify(buildOpenApi(apiRoutes, "https://vectors.example"))).toBe(texts[0]);
    expect(buildOpenApi(apiRoutes, null).servers).toEqual([{ url: "/" }]);
  });

  test("has nothing of what is configured or stored", () => {
    expect(JSON.stringify(document)).not.toMatch(/sk-test|postgres:\/\/|127\.0\.0\.1/);
  });
});

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

describe("what the routes really answer", () => {
  test("is what the document says, for every route", async () => {
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
    /** A request for every operation, by its id in the document; some of them more than once. */
    const requests: [id: string, path: string, body?: object][] = [
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
      [
        "postVectorStoresVectorStoreIdUpload",
        `/vector_stores/${store}/upload`,
        form({ chunk_size: "100" }, "uploaded"),
      ],
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
    const asked = new Set<string>();
    const all = operations();
    for (const [id, path, body] of requests) {
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
      asked.add(id);
      if (route.answerType !== undefined) {
        expect(answer.headers["content-type"]).toBe(route.answerType);
        continue;
      }
      const parsed = route.answer.safeParse(JSON.parse(answer.text));
      expect({ id, path, problem: parsed.error?.issues }).toEqual({ id, path, problem: undefined });
      // zod drops what a schema does not name: an undocumented field shows as a difference.
      expect(parsed.data).toEqual(JSON.parse(answer.text));
    }
    expect([...asked].sort()).toEqual(all.map(({ operation }) => operation.operationId).sort());
  });
});

describe("/docs", () => {
  test("is one page of HTML for readers: every route is on it, and nothing is run or fetched", async () => {
    const answer = await send(service.url, { path: "/docs", method: "GET", key: null });
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["content-security-policy"]).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.text).toMatch(/^<!doctype html><html lang="en">/);
    expect(answer.text).not.toMatch(
      /<script|<img|<iframe|<link|<form|\son\w+=|javascript:|(src|href)="(https?:)?\/\//i,
    );
    for (const { path, operation } of operations()) {
      expect(answer.text).toContain(`<code>${path}</code>`);
      expect(answer.text).toContain(operation.summary.replaceAll("`", ""));
    }
    const links = [...answer.text.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(10);
    for (const id of new Set(links)) expect(answer.text).toContain(`id="${id}"`);
    const opened = answer.text.match(/<details/g) ?? [];
    expect(answer.text.match(/<\/details>/g)).toHaveLength(opened.length);
  });
});
