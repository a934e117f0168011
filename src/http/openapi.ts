import { z } from "zod";
import { version } from "../version.js";
import type { Route } from "./route.js";

const errorEnvelope = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: "Error" });

type JsonSchema = Record<string, unknown>;

export interface OpenApiOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: never[];
  parameters: { name: string; in: "path" | "query"; required: boolean; schema: JsonSchema; description?: string }[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { description: string; content: Record<string, { schema: JsonSchema }> }>;
}

export interface OpenApiDocument {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string; license: { name: string } };
  servers: { url: string }[];
  security: Record<string, never[]>[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, JsonSchema> };
}

/** The OpenAPI 3.1 document, made from the routes and the zod schemas that check their requests. */
export function buildOpenApi(routes: readonly Route[], apiUrl: string | null): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    const path = `${route.may === "public" ? "" : "/v1"}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    (paths[path] ??= {})[route.method] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "LiteLLM vector store",
      version,
      description:
        "Vector stores for a LiteLLM proxy and every OpenAI SDK, on PostgreSQL and pgvector. Every path under /v1 is also served without /v1.",
      license: { name: "MIT" },
    },
    servers: [{ url: apiUrl ?? "/" }],
    security: [{ bearer: [] }],
    paths,
    components: { schemas: namedSchemas(), securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
  };
}

function operation(route: Route): OpenApiOperation {
  const json = (schema: JsonSchema) => ({ "application/json": { schema } });
  const { body } = route;
  return {
    operationId: `${route.method}${route.path.replaceAll(/[/:_]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.may === "public" ? { security: [] } : {}),
    parameters: [...parameters(route.params, "path"), ...parameters(route.query, "query")],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: Object.fromEntries(
              route.contentTypes.map((type) => [
                type,
                { schema: type === "application/json" ? toSchema(body) : { type: "string" } },
              ]),
            ),
          },
        }),
    responses: {
      "200": { description: "Success", content: json(toSchema(route.answer)) },
      default: { description: "An error, in OpenAI's envelope", content: json(toSchema(errorEnvelope)) },
    },
  };
}

function parameters(schema: z.ZodType | undefined, where: "path" | "query"): OpenApiOperation["parameters"] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, field]) => ({
    name,
    in: where,
    required: where === "path" || !field.safeParse(undefined).success,
    schema: toSchema(field),
    ...(field.description === undefined ? {} : { description: field.description }),
  }));
}

const options = { io: "input", unrepresentable: "any" } as const;
const uri = (id: string) => `#/components/schemas/${id}`;

/** A reference for schemas with an id, the schema itself for all others. */
function toSchema(schema: z.ZodType): JsonSchema {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) return { $ref: uri(id) };
  return withoutMeta(z.toJSONSchema(schema, options));
}

function namedSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { ...options, uri });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutMeta(schema)]));
}

function withoutMeta(schema: JsonSchema): JsonSchema {
  const { $schema, $id, ...rest } = schema;
  void $schema;
  void $id;
  return rest;
}
