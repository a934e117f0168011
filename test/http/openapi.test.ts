import { describe, expect, test } from "@jest/globals";
import { apiRoutes } from "../../src/http/app.js";
import { buildOpenApi, urlTemplate } from "../../src/http/openapi.js";
import { send } from "./requests.js";
import { service, document, objectsIn, operations } from "./openapiSupport.js";

describe("the OpenAPI document", () => {
  test("has every route once, with a unique id, and nothing else", () => {
    const expected = apiRoutes.map((route) => `${route.method} ${urlTemplate(route)}`);
    const named = operations().map(({ method, path }) => `${method} ${path}`);
    expect([...named].sort()).toEqual([...expected].sort());
    expect(new Set(operations().map(({ operation }) => operation.operationId)).size).toBe(apiRoutes.length);
    expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "https://vectors.example" }] });
  });

  test("every reference resolves to a schema, and every schema is used", () => {
    const references = [...objectsIn(document)].flatMap(([, each]) =>
      typeof each.$ref === "string" ? [each.$ref] : [],
    );
    const known = Object.keys(document.components.schemas).map((id) => `#/components/schemas/${id}`);
    expect(references.filter((each) => !known.includes(each))).toEqual([]);
    expect(known.filter((each) => !references.includes(each))).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/\$defs|definitions|\$schema/);
  });

  test("every path parameter is declared, and every query parameter is described", () => {
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
      description: "number of items per page",
      example: 20,
      schema: { type: "integer", minimum: 1, maximum: 100, default: 20 },
    });
    expect(list.find((each) => each.name === "order")?.schema).toEqual({
      type: "string",
      enum: ["asc", "desc"],
      default: "desc",
    });
  });

  test("every request field has its type and limits", () => {
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
      items: { $ref: "#/components/schemas/EmbeddingInput" },
    });
    expect(field("EmbeddingInput", "content")).toMatchObject({ type: "string", minLength: 1, maxLength: 10_485_760 });
    expect(schemas.EmbeddingInput?.required).toEqual(["content"]);
  });

  test("says how many dimensions a store may have", () => {
    const dimensions = document.components.schemas.CreateVectorStoreRequest?.properties;
    expect(dimensions).toMatchObject({ embedding_dimensions: { anyOf: [{ minimum: 1, maximum: 16_000 }, {}] } });
  });

  test("requires the key for all but the public routes", () => {
    expect(document.security).toEqual([{ bearer: [] }]);
    const open = operations().filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path).sort()).toEqual([
      "/health",
      "/livez",
      "/readyz",
      "/v1/sessions",
      "/v1/sessions/current",
    ]);
  });

  test("is the same for every call and address, and when generated again", async () => {
    const texts = await Promise.all(
      ["/openapi.json", "/v1/openapi.json", "/openapi.json"].map(
        async (path) => (await send(service.url, { path, method: "GET", key: null })).text,
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(JSON.stringify(buildOpenApi(apiRoutes, "https://vectors.example"))).toBe(texts[0]);
    expect(buildOpenApi(apiRoutes, null).servers).toEqual([{ url: "/" }]);
  });

  test("contains no configuration and no stored data", () => {
    expect(JSON.stringify(document)).not.toMatch(/sk-test|postgres:\/\/|127\.0\.0\.1/);
  });
});
