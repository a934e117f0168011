import { z } from "zod";
import { version } from "../process/version.js";
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
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } };
  servers: { url: string }[];
  security: Record<string, never[]>[];
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, JsonSchema> };
}

/** The OpenAPI 3.1 document, made from the routes and the zod schemas that check their requests. */
export function buildOpenApi(routes: readonly Route[], apiUrl: string | null): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    (paths[urlTemplate(route)] ??= {})[route.method] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "LiteLLM vector store",
      version,
      description:
        "Vector stores for a LiteLLM proxy and every OpenAI SDK, on PostgreSQL and pgvector. Every path under /v1 also works without /v1.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: apiUrl ?? "/" }],
    security: [{ bearer: [] }],
    paths,
    components: { schemas: namedSchemas(), securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
  };
}

/** A route's path in the document: `/v1/vector_stores/{vector_store_id}`. */
export function urlTemplate({ path, may }: Pick<Route, "path" | "may">): string {
  const prefix = may === "public" || path.startsWith("/v2/") ? "" : "/v1";
  return `${prefix}${path.replaceAll(/[:*](\w+)/g, "{$1}")}`;
}

function operation(route: Route): OpenApiOperation {
  const json = (schema: JsonSchema) => ({ "application/json": { schema } });
  const { body, form } = route;
  const lines = { schema: { type: "string", description: "one JSON object per line" } };
  const isStream = (type: string) => !["application/json", "multipart/form-data"].includes(type);
  const streamed = Object.fromEntries(route.contentTypes.filter(isStream).map((type) => [type, lines]));
  const sent = (type: string) =>
    isStream(type) ? lines : { schema: toSchema((type === "application/json" ? body : form) ?? z.unknown()) };
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.may === "public" ? { security: [] } : {}),
    parameters: [...parameters(route.params, "path"), ...parameters(route.query, "query")],
    ...(route.contentTypes.length === 0
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: Object.fromEntries(route.contentTypes.map((type) => [type, sent(type)])),
          },
        }),
    responses: {
      "200": {
        description: "Success",
        content: {
          [route.answerType ?? "application/json"]: { schema: toSchema(route.answer) },
          ...streamed,
          ...(route.streamAnswer === undefined
            ? {}
            : { "text/event-stream": { schema: toSchema(route.streamAnswer) } }),
        },
      },
      ...(route.alsoStatus === undefined
        ? {}
        : { [route.alsoStatus.status]: { description: route.alsoStatus.when, content: json(toSchema(route.answer)) } }),
      default: { description: "An error, in OpenAI's format", content: json(toSchema(errorEnvelope)) },
    },
  };
}

function parameters(schema: z.ZodType | undefined, where: "path" | "query"): OpenApiOperation["parameters"] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, field]) => ({
    name,
    in: where,
    required: where === "path" || !field.safeParse(undefined).success,
    schema: parameterSchema(field),
    ...(field.description === undefined ? {} : { description: field.description }),
  }));
}

/**
 * A parameter is text on the wire, but documented by its meaning: an integer has bounds and a default, not a pattern of
 * digits.
 */
function parameterSchema(field: z.ZodType): JsonSchema {
  const { pattern, description, ...schema } = toSchema(field);
  const absent = field.safeParse(undefined);
  return {
    ...schema,
    ...(pattern === undefined || schema.type === "integer" ? {} : { pattern }),
    // Otherwise the description is already next to the schema.
    ...(field.description === undefined && description !== undefined ? { description } : {}),
    ...(absent.success && absent.data !== undefined ? { default: absent.data } : {}),
  };
}

const options = {
  io: "input",
  unrepresentable: "any",
  // The bounds of JavaScript's safe integers, which zod adds, tell a reader nothing.
  override: ({ jsonSchema }: { jsonSchema: JsonSchema }) => {
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  },
} as const;
const uri = (id: string) => `#/components/schemas/${id}`;

/** A reference if the schema has an id, else the schema itself. */
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
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "$schema" && name !== "$id"));
}
