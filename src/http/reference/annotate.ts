import { fieldExamples } from "./fieldExamples.js";
import { fieldTexts } from "./fieldTexts.js";

export type JsonSchema = Record<string, unknown>;

/** The schemas of the document by their ids. */
export type Named = Readonly<Record<string, JsonSchema>>;

const isSchema = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null;
const list = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const alternatives = (schema: JsonSchema) => [...list(schema.anyOf), ...list(schema.oneOf)];

/** The schema's fields by name; none if it is no object, or one of any shape. */
const fieldsOf = (schema: JsonSchema): [string, JsonSchema][] =>
  isSchema(schema.properties)
    ? Object.entries(schema.properties).filter((pair): pair is [string, JsonSchema] => isSchema(pair[1]))
    : [];

/** Fields that most answers lack: they have examples of their own, but stay out of the example of the whole. */
const unusual = Object.fromEntries(
  ["Health.error", "embedding.note", "EmbeddingBatch.ids", "progress.waiting_for", "VectorStoreFile.same_as"]
    .concat(["slide", "sheet", "attachment"].flatMap((name) => [`data.${name}`, `RagSource.${name}`]))
    .map((key) => [key, true]),
);

/** What the table says about a path such as `["VectorStore", "index", "state"]`: its longest end that has an entry. */
function lookUp(table: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  const ends = path.map((_, i) => path.slice(i).join("."));
  const key = ends.find((end) => Object.hasOwn(table, end));
  return key === undefined ? undefined : table[key];
}

/** The field's description: its own, else that of its name. */
export function textOf(path: readonly string[], schema: JsonSchema): string | undefined {
  if (typeof schema.description === "string") return schema.description;
  const text = lookUp(fieldTexts, path);
  return typeof text === "string" ? text : undefined;
}

/**
 * An example of a schema: its own, else that of its name, else its constant or first allowed value, else put together
 * from its parts; undefined if a part has none.
 */
export function exampleOf(path: readonly string[], schema: JsonSchema, named: Named): unknown {
  if (Array.isArray(schema.examples)) return schema.examples[0];
  const known = lookUp(fieldExamples, path);
  if (known !== undefined) return known;
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (typeof schema.$ref === "string") {
    const id = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return exampleOf([id], named[id] ?? {}, named);
  }
  const [first] = alternatives(schema);
  if (first !== undefined) return exampleOf(path, first, named);
  if (schema.type === "array" && isSchema(schema.items)) return [exampleOf(path, schema.items, named)];
  const fields = fieldsOf(schema).filter(([name]) => lookUp(unusual, [...path, name]) === undefined);
  if (fields.length === 0) return undefined;
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf([...path, name], field, named)]));
}

/** The schema with a description and an example for every field, at every depth. */
export function annotate(path: readonly string[], schema: JsonSchema, named: Named): JsonSchema {
  const result: JsonSchema = { ...schema };
  const fields = fieldsOf(schema);
  if (fields.length > 0) {
    const described = fields.map(([name, field]) => [name, annotateField([...path, name], field, named)]);
    result.properties = Object.fromEntries(described) as JsonSchema;
  }
  for (const word of ["anyOf", "oneOf"]) {
    if (Array.isArray(schema[word])) result[word] = list(schema[word]).map((each) => annotate(path, each, named));
  }
  if (isSchema(schema.items)) result.items = annotate(path, schema.items, named);
  return result;
}

function annotateField(path: readonly string[], field: JsonSchema, named: Named): JsonSchema {
  const description = textOf(path, field);
  const example = exampleOf(path, field, named);
  return {
    ...annotate(path, field, named),
    ...(description !== undefined && { description }),
    ...(example !== undefined && { examples: [example] }),
  };
}
