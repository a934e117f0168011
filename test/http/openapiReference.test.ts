import { describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { apiRoutes } from "../../src/http/app.js";
import { fieldExamples } from "../../src/http/reference/fieldExamples.js";
import { fieldTexts } from "../../src/http/reference/fieldTexts.js";
import { type OpenApiDocument, buildOpenApi, urlTemplate } from "../../src/http/openapi.js";

type Schema = Record<string, unknown>;

const document = buildOpenApi(apiRoutes, null);
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null;

/** Every field below a schema, with its path. */
function* fieldsIn(path: readonly string[], schema: Schema): Generator<[string[], Schema]> {
  for (const [name, field] of Object.entries((schema.properties ?? {}) as Record<string, Schema>)) {
    yield [[...path, name], field];
    yield* fieldsIn([...path, name], field);
  }
  for (const word of ["anyOf", "oneOf", "allOf"]) {
    for (const each of (schema[word] ?? []) as Schema[]) yield* fieldsIn(path, each);
  }
  if (isSchema(schema.items)) yield* fieldsIn(path, schema.items);
}

type Content = OpenApiDocument["paths"][string][string]["responses"][string]["content"];
const contents = (content: Content | undefined, id: string) =>
  Object.values(content ?? {}).flatMap(({ schema }) => [...fieldsIn([id], schema)]);

const parameters = operations.flatMap(({ operationId, parameters: all }) =>
  all.map((each): [string[], Schema] => [
    [operationId, each.name],
    { ...each.schema, description: each.description, examples: [each.example] },
  ]),
);

const fields: [string, Schema][] = [
  ...Object.entries(document.components.schemas).flatMap(([id, schema]) => [...fieldsIn([id], schema)]),
  ...operations.flatMap(({ operationId, requestBody, responses }) => [
    ...contents(requestBody?.content, operationId),
    ...Object.values(responses).flatMap(({ content }) => contents(content, operationId)),
  ]),
  ...parameters,
].map(([path, schema]) => [path.join("."), schema]);

describe("the reference in the OpenAPI document", () => {
  test("has a description for every field and parameter", () => {
    expect(fields.length).toBeGreaterThan(300);
    const bare = fields.filter(([, schema]) => typeof schema.description !== "string" || schema.description === "");
    // Describe a field in its schema (`.describe`), or by its name in src/http/reference/fieldTexts.ts.
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test("has an example for every field and parameter", () => {
    const bare = fields.filter(([, schema]) => !Array.isArray(schema.examples) || schema.examples[0] === undefined);
    // Add one in the schema (`.meta({ examples: [...] })`), or by its name in src/http/reference/fieldExamples.ts.
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test("the tables name nothing that does not exist", () => {
    const ends = new Set(
      fields.flatMap(([path]) => {
        const names = path.split(".");
        return names.map((_, i) => names.slice(i).join("."));
      }),
    );
    const names = [...Object.keys(fieldTexts), ...Object.keys(fieldExamples)];
    expect(names.filter((name) => !ends.has(name))).toEqual([]);
  });

  test("operation ids are short names, each used once", () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z]+([A-Z]([a-z]+|\d+))+$/.test(id))).toEqual([]);
    expect(ids).toEqual(expect.arrayContaining(["createVectorStore", "searchVectorStore", "retrieveModel"]));
  });

  test.each(apiRoutes.map((each) => [each.id, each] as const))("%s: its examples fit its schemas", (_, route) => {
    const operation = document.paths[urlTemplate(route)]?.[route.method];
    const sent = operation?.requestBody?.content;
    const problems = (schema: z.ZodType | undefined, value: unknown) => schema?.safeParse(value).error?.issues;
    if (route.body !== undefined) {
      const { example } = sent?.["application/json"] ?? {};
      expect(example).toBeInstanceOf(Object);
      expect(problems(route.body, example)).toBeUndefined();
    }
    if (route.form !== undefined) {
      const { example } = sent?.["multipart/form-data"] ?? {};
      expect(example).toBeInstanceOf(Object);
      // A form has only texts.
      const texts = Object.entries(example as object).map(([name, value]: [string, unknown]) => [
        name,
        isSchema(value) ? value : String(value),
      ]);
      expect(problems(route.form, Object.fromEntries(texts))).toBeUndefined();
    }
    const content = operation?.responses["200"]?.content ?? {};
    const { example } = content[route.answerType ?? "application/json"] ?? {};
    if (route.answerType === undefined) {
      expect(example).toBeInstanceOf(Object);
      expect(problems(route.answer, example)).toBeUndefined();
    }
    for (const parameter of operation?.parameters ?? []) {
      const schema = parameter.in === "query" ? route.query : route.params;
      const shape = (schema as z.ZodObject).shape as Record<string, z.ZodType>;
      const field = shape[parameter.name];
      const text = String(parameter.example);
      const value = field instanceof z.ZodPipe && field.in instanceof z.ZodArray ? text.split("/") : text;
      expect(problems(field, value)).toBeUndefined();
    }
  });
});
