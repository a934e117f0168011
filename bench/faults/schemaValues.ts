import { type Random, chance, oneOf, upTo } from "./chance.js";

/** A JSON Schema, as far as our OpenAPI document uses it. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Maker {
  random: Random;
  /** The document's `components.schemas`. */
  schemas: Readonly<Record<string, Schema>>;
  /** A value that means something for a field of this name, such as the id of a store; undefined: any value will do. */
  hint: (name: string) => unknown;
}

const deepest = 5;

/** A value that the schema allows, mostly: what the document cannot say, a value may miss. */
export function valueOf(schema: Schema, maker: Maker, name = "", depth = 0): unknown {
  const { random, schemas } = maker;
  if (typeof schema.$ref === "string") {
    return valueOf(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, maker, name, depth);
  }
  const hint = chance(random, 0.8) ? maker.hint(name) : undefined;
  if (hint !== undefined) return hint;
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return oneOf(random, schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return valueOf(oneOf(random, choices as Schema[]) ?? {}, maker, name, depth);
  switch (schema.type) {
    case "string":
      return textOf(schema, random);
    case "integer":
      return Math.round(numberOf(schema, random));
    case "number":
      return numberOf(schema, random);
    case "boolean":
      return chance(random, 0.5);
    case "null":
      return null;
    case "array":
      return listOf(schema, maker, name, depth);
    case "object":
      return objectOf(schema, maker, depth);
    default:
      return oneOf(random, ["any", 7, true, null, { kind: "pet" }, [1, 2]]);
  }
}

const words = ["salary", "kind", "pet", "Zürich", "日本語", "🂡", "a b", "report 2024", "x"];

function textOf(schema: Schema, random: Random): string {
  if (schema.contentEncoding === "base64") {
    return Buffer.from(new Float32Array(upTo(random, 20)).fill(0.5).buffer).toString("base64");
  }
  // A filter as text, or a number: what patterns of query parameters ask for.
  if (schema.pattern !== undefined) return String(upTo(random, 100));
  const least = numberIn(schema, "minLength", 0);
  const most = Math.min(numberIn(schema, "maxLength", 2000), chance(random, 0.02) ? 2000 : 40);
  let text = "";
  while (text.length < least || (text.length < most && chance(random, 0.6))) text += `${oneOf(random, words) ?? ""} `;
  return text.slice(0, Math.max(most, least)) || (least > 0 ? "x".repeat(least) : "");
}

function numberOf(schema: Schema, random: Random): number {
  const least = numberIn(schema, "minimum", -1000);
  const most = numberIn(schema, "maximum", Math.max(least, 0) + 1000);
  return chance(random, 0.2) ? (oneOf(random, [least, most]) ?? least) : least + random() * (most - least);
}

function listOf(schema: Schema, maker: Maker, name: string, depth: number): unknown[] {
  const least = numberIn(schema, "minItems", 0);
  const most = Math.min(numberIn(schema, "maxItems", 5), least + (depth > deepest ? 0 : 5));
  const length = least + Math.floor(maker.random() * (most - least + 1));
  const items = (schema.items ?? {}) as Schema;
  // The singular names what is in it: `file_ids` are of `file_id`.
  return Array.from({ length }, () => valueOf(items, maker, name.replace(/s$/, ""), depth + 1));
}

function objectOf(schema: Schema, maker: Maker, depth: number): Record<string, unknown> {
  const { random } = maker;
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const required = (schema.required ?? []) as string[];
  const made: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(properties)) {
    const wanted = required.includes(name) || chance(random, depth > deepest ? 0.05 : 0.35);
    if (wanted) made[name] = valueOf(each, maker, name, depth + 1);
  }
  const others = schema.additionalProperties;
  if (typeof others === "object" && others !== null && depth <= deepest) {
    for (let i = upTo(random, 4); i > 1; i -= 1) {
      made[oneOf(random, words) ?? ""] = valueOf(others as Schema, maker, "", depth + 1);
    }
  }
  return made;
}

const numberIn = (schema: Schema, name: string, otherwise: number) =>
  typeof schema[name] === "number" ? schema[name] : otherwise;
