import { z } from "zod";
import { ExactNumber, isObject, problemWithNumber } from "../../words/exactJson.js";

export type Scalar = string | number | ExactNumber | boolean;

const limits = { pairs: 16, keyLength: 64, valueLength: 512 };

/**
 * OpenAI's metadata: at most 16 pairs, keys of 64 and values of 512 characters. Numbers and booleans
 * keep their type. Not a z.record, which drops a key called "__proto__" and checks all of a million pairs before
 * counting them.
 */
export const scalars = z
  .custom<Record<string, Scalar>>(isObject, { error: "expected an object" })
  .superRefine((value, context) => {
    const problem = (message: string, path: string[]) => {
      context.addIssue({ code: "custom", message, path });
    };
    const keys = Object.keys(value);
    if (keys.length > limits.pairs) {
      problem(`at most ${limits.pairs} pairs, got ${keys.length}`, []);
      return;
    }
    for (const key of keys) {
      const item: unknown = value[key];
      if (key.length > limits.keyLength) problem(`a key may have at most ${limits.keyLength} characters`, [key]);
      else if (typeof item === "number" || item instanceof ExactNumber) {
        const reason = problemWithNumber(item);
        if (reason !== null) problem(`is ${reason}`, [key]);
      } else if (!isTextOrBoolean(item))
        problem(`expected a string of at most ${limits.valueLength} characters, a number or a boolean`, [key]);
    }
  })
  .meta({
    type: "object",
    maxProperties: limits.pairs,
    propertyNames: { maxLength: limits.keyLength },
    additionalProperties: {
      anyOf: [{ type: "string", maxLength: limits.valueLength }, { type: "number" }, { type: "boolean" }],
    },
  });

const isTextOrBoolean = (value: unknown) =>
  typeof value === "string" ? value.length <= limits.valueLength : typeof value === "boolean";

/** Metadata of a file's chunks that searches and deletions rely on; its attributes must not replace it. */
const reserved = ["file_id", "chunk_index", "place"];

/** OpenAI's attributes of a file: like metadata, without the names that the service uses. */
export const attributes = scalars
  .superRefine((value, context) => {
    const used = reserved.find((name) => Object.hasOwn(value, name));
    if (used === undefined) return;
    context.addIssue({ code: "custom", message: "this name is used by the service; choose another", path: [used] });
  })
  .meta(scalars.meta() ?? {});

/** A value of `scalars` in an answer. */
export const scalarAnswer = z
  .custom<Scalar>()
  .meta({ anyOf: [{ type: "string" }, { type: "number" }, { type: "boolean" }] });
