import type { JsonSchema } from "../reference/annotate.js";

/** A line of a table of fields. */
export interface Field {
  /** With its parents: `ranking_options.ranker`; `data[].id` for the items of a list. */
  name: string;
  type: string;
  /** Ids of schemas that say more. */
  links: string[];
  required: boolean;
  description: string;
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null;
const list = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const alternatives = (schema: JsonSchema) => [...list(schema.anyOf), ...list(schema.oneOf)];

/** The type of a value in words: `integer 1…50 or null`. */
export function typeOf(schema: JsonSchema): string {
  const several = alternatives(schema);
  if (several.length > 0) return [...new Set(several.map(typeOf))].filter((each) => each !== "").join(" or ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((each) => JSON.stringify(each)).join(" or ");
  if (schema.type === "array" && isSchema(schema.items)) return `array of ${typeOf(schema.items) || "items"}`;
  const name = Array.isArray(schema.type)
    ? schema.type.join(" or ")
    : typeof schema.type === "string"
      ? schema.type
      : "";
  const [min, max] = [schema.minimum, schema.maximum].map((each) => (typeof each === "number" ? String(each) : ""));
  return min === "" && max === "" ? name : `${name} ${min ?? ""}…${max ?? ""}`;
}

function linksOf(schema: JsonSchema): string[] {
  const own = typeof schema.$ref === "string" ? [schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1)] : [];
  const inside = [...alternatives(schema), ...(isSchema(schema.items) ? [schema.items] : [])];
  return [...new Set([...own, ...inside.flatMap(linksOf)])];
}

/** The fields of a schema at every depth, each once; referenced schemas are linked, not repeated. */
export function fieldsIn(schema: JsonSchema): Field[] {
  return [...new Map(walk(schema, "").map((field) => [`${field.name} ${field.type}`, field])).values()];
}

function walk(schema: JsonSchema, prefix: string): Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const own = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const fields = own.flatMap(([key, field]): Field[] => {
    if (!isSchema(field)) return [];
    const name = prefix === "" ? key : `${prefix}.${key}`;
    const description = typeof field.description === "string" ? field.description : "";
    return [
      { name, type: typeOf(field), links: linksOf(field), required: required.includes(key), description },
      ...walk(field, name),
    ];
  });
  const items = isSchema(schema.items) ? walk(schema.items, `${prefix}[]`) : [];
  return [...fields, ...alternatives(schema).flatMap((each) => walk(each, prefix)), ...items];
}
