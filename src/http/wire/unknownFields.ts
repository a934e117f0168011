import type { z } from "zod";
import { isObject } from "../../words/exactJson.js";

/** A field that its schema does not have. */
export interface UnknownField {
  /** Its place in the request, such as `ranking_options.topk` or `embeddings[3].metdata`. */
  path: string;
  /** Its own name, the last part of the path. */
  name: string;
  /** The fields that the schema has at this place. */
  known: readonly string[];
  /** Fields one level deeper, such as `ranking_options.recall`. */
  deeper: readonly string[];
}

type Report = (field: UnknownField) => void;
/** Reports the unknown fields in a value. `path`: its place; "" at the top. */
type Check = (value: unknown, path: string, report: Report) => void;

const checks = new WeakMap<z.core.$ZodType, { check: Check | null }>();

/**
 * Reports every field of a value that its schema does not name and would drop in silence. What a schema takes whole (a
 * loose object, a custom type such as metadata, `unknown`) is the caller's own and is not looked into.
 * @param root the value's path; null: the top of a body
 */
export function findUnknownFields(schema: z.ZodType, value: unknown, root: string | null, report: Report): void {
  checkOf(schema)?.(value, root ?? "", report);
}

/** The check of a schema, made once; null if nothing in it can be unknown. */
function checkOf(schema: z.core.$ZodType): Check | null {
  const known = checks.get(schema);
  if (known !== undefined) return known.check;
  // A schema that contains itself finds this entry; its check is made when it is first used.
  checks.set(schema, { check: (...at) => checks.get(schema)?.check?.(...at) });
  const check = makeCheck(schema);
  checks.set(schema, { check });
  return check;
}

function makeCheck(schema: z.core.$ZodType): Check | null {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") return ofObject(def.shape, def.catchall);
  if (def.type === "array") return ofItems(checkOf(def.element));
  if (def.type === "record") return ofValues(checkOf(def.valueType));
  if (def.type === "union") return ofUnion(def.options);
  if (def.type === "pipe") return checkOf(def.in);
  if (def.type === "lazy") return checkOf(def.getter());
  // Optional, nullable, with a default, …
  return "innerType" in def ? checkOf(def.innerType) : null;
}

function ofObject(shape: z.core.$ZodShape, catchall: z.core.$ZodType | undefined): Check {
  const fields = new Map(Object.entries(shape).map(([name, field]) => [name, checkOf(field)]));
  const known = [...fields.keys()];
  const deeper = known.flatMap((name) => Object.keys(shapeOf(shape[name]) ?? {}).map((inner) => `${name}.${inner}`));
  // A loose object has the catch-all `unknown`.
  const isOpen = catchall !== undefined && catchall._zod.def.type !== "never";
  return (value, path, report) => {
    if (!isObject(value)) return;
    for (const name of Object.keys(value)) {
      const check = fields.get(name);
      if (check !== undefined) check?.(value[name], join(path, name), report);
      else if (!isOpen) report({ path: join(path, name), name, known, deeper });
    }
  };
}

/** The fields of a schema, if it is of an object, optional or not. */
function shapeOf(schema: z.core.$ZodType | undefined): z.core.$ZodShape | null {
  if (schema === undefined) return null;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "object") return def.shape;
  if (def.type === "pipe") return shapeOf(def.in);
  return def.type === "optional" || def.type === "nullable" ? shapeOf(def.innerType) : null;
}

function ofItems(check: Check | null): Check | null {
  if (check === null) return null;
  return (value, path, report) => {
    if (!Array.isArray(value)) return;
    for (const [i, item] of value.entries()) check(item, `${path}[${i}]`, report);
  };
}

function ofValues(check: Check | null): Check | null {
  if (check === null) return null;
  return (value, path, report) => {
    if (isObject(value)) for (const name of Object.keys(value)) check(value[name], join(path, name), report);
  };
}

/** Of the options, the first whose shape and constant fields are the value's is meant, e.g. `"type": "static"`. */
function ofUnion(options: readonly z.core.$ZodType[]): Check {
  const all = options.map((option) => ({ fits: fitOf(option), check: checkOf(option) }));
  return (value, path, report) => {
    all.find(({ fits }) => fits(value))?.check?.(value, path, report);
  };
}

function fitOf(option: z.core.$ZodType): (value: unknown) => boolean {
  const { def } = (option as z.core.$ZodTypes)._zod;
  if (def.type === "array") return Array.isArray;
  if (def.type !== "object") return () => false;
  const constants = Object.entries(def.shape).flatMap(([name, field]) => {
    const inner = (field as z.core.$ZodTypes)._zod.def;
    return inner.type === "literal" ? [[name, inner.values] as const] : [];
  });
  return (value) =>
    isObject(value) && constants.every(([name, values]) => (values as readonly unknown[]).includes(value[name]));
}

/** An empty name has a place, too. */
const shownName = (name: string) => (name === "" ? '""' : name.slice(0, 64));
const join = (path: string, name: string) => (path === "" ? shownName(name) : `${path}.${shownName(name)}`);
