import { z } from "zod";
import { version } from "../process/version.js";
import { type JsonSchema, type Named, annotate, exampleOf, textOf } from "./reference/annotate.js";
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

type Content = Record<string, { schema: JsonSchema; example?: unknown }>;

export interface OpenApiOperation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: never[];
  parameters: {
    name: string;
    in: "path" | "query";
    required: boolean;
    schema: JsonSchema;
    description?: string;
    example?: unknown;
  }[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { description: string; content: Content }>;
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
  const named = namedSchemas();
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    (paths[urlTemplate(route)] ??= {})[route.method] = operation(route, named);
  }
  const schemas = Object.fromEntries(Object.entries(named).map(([id, schema]) => [id, annotate([id], schema, named)]));
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
    components: { schemas, securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
  };
}

/** A route's path in the document: `/v1/vector_stores/{vector_store_id}`. */
export function urlTemplate({ path }: Pick<Route, "path">): string {
  const prefix = /^\/(v2\/|health$|livez$|readyz$)/.test(path) ? "" : "/v1";
  return `${prefix}${path.replaceAll(/[:*](\w+)/g, "{$1}")}`;
}

/** Lines of a stream of rows. */
const rowLines = {
  schema: { type: "string", description: "one JSON object per line" },
  example: '{"content": "Returns are accepted within 30 days.", "metadata": {"category": "returns"}}\n',
};

function operation(route: Route, named: Named): OpenApiOperation {
  const { id, body, form, example } = route;
  const shown = (schema: z.ZodType, given?: unknown) => {
    const json = toSchema(schema);
    const whole = given ?? exampleOf([id], json, named);
    return { schema: annotate([id], json, named), ...(whole !== undefined && { example: whole }) };
  };
  const isStream = (type: string) => !["application/json", "multipart/form-data"].includes(type);
  const streamed = Object.fromEntries(route.contentTypes.filter(isStream).map((type) => [type, rowLines]));
  const sent = (type: string) => {
    if (isStream(type)) return rowLines;
    return type === "application/json" ? shown(body ?? z.unknown(), example) : shown(form ?? z.unknown());
  };
  const answer = shown(route.answer);
  const json = { "application/json": answer };
  return {
    operationId: id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.may === "public" ? { security: [] } : {}),
    parameters: [...parameters(route, "path", named), ...parameters(route, "query", named)],
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
          [route.answerType ?? "application/json"]: answer,
          ...streamed,
          ...(route.streamAnswer === undefined ? {} : { "text/event-stream": shown(route.streamAnswer) }),
        },
      },
      ...(route.alsoStatus === undefined
        ? {}
        : { [route.alsoStatus.status]: { description: route.alsoStatus.when, content: json } }),
      default: {
        description: "An error, in OpenAI's format",
        content: { "application/json": shown(errorEnvelope) },
      },
    },
  };
}

function parameters(route: Route, where: "path" | "query", named: Named): OpenApiOperation["parameters"] {
  const schema = where === "path" ? route.params : route.query;
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, field]) => {
    const shape = parameterSchema(field);
    const description = field.description ?? textOf([route.id, name], shape);
    const example = exampleOf([route.id, name], shape, named);
    return {
      name,
      in: where,
      required: where === "path" || !field.safeParse(undefined).success,
      schema: shape,
      ...(description !== undefined && { description }),
      ...(example !== undefined && { example }),
    };
  });
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
