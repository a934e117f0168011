import { z } from "zod";
import { invalid } from "../../words/errors.js";
import type { Attributes, IngestSettings } from "../../words/file.js";
import { parseJson } from "../bodies/jsonText.js";
import { optional } from "./common.js";
import type { Parse } from "./parse.js";
import { attributes } from "./scalars.js";

/** The fields of POST …/upload besides its files, all as text. Sizes are in characters, as in litellm-vector-store. */
export const uploadForm = z.object({
  chunk_size: optional(formInteger(1, 100_000)),
  chunk_overlap: optional(formInteger(0, 50_000)),
  vision_model: optional(z.string().max(256, "at most 256 characters")),
  vision_prompt: optional(z.string().max(10_000, "at most 10000 characters")),
  attributes: optional(z.string().describe("a JSON object")),
  replace: optional(z.enum(["true", "false"])).describe("replace files of the same name in the store"),
});

function formInteger(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .meta({ type: "integer", minimum: min, maximum: max });
}

const usual = { size: 512, overlap: 50 };

/** @throws ApiError 400 naming the field, also for an overlap above half of the chunk size */
export function readUploadForm(fields: ReadonlyMap<string, string>, parse: Parse) {
  const form = parse(uploadForm, Object.fromEntries(fields), null);
  const size = form.chunk_size ?? usual.size;
  // A small chunk_size must not be refused because of the default overlap.
  const overlap = form.chunk_overlap ?? Math.min(usual.overlap, Math.floor(size / 2));
  if (overlap * 2 > size) throw invalid("chunk_overlap", `at most half of chunk_size, which is ${size}`);
  const blank = (text: string | undefined) => (text === undefined || text.trim() === "" ? null : text);
  const settings: IngestSettings = {
    cutting: { by: "characters", size, overlap },
    visionModel: blank(form.vision_model),
    visionPrompt: blank(form.vision_prompt),
  };
  return { settings, attributes: readAttributes(form.attributes, parse), replaces: form.replace === "true" };
}

function readAttributes(text: string | undefined, parse: Parse): Attributes | null {
  if (text === undefined || text.trim() === "") return null;
  return parse(attributes, parseJson(text, "attributes"), "attributes");
}
