import { z } from "zod";
import {
  type AskedPrompts,
  type Prompts,
  documentInputTypes,
  inputTypesFor,
  longestPrefix,
  readPrefix,
} from "../../words/prompts.js";
import { optional } from "./common.js";

const prefix = optional(z.string().max(longestPrefix, `at most ${longestPrefix} characters`));

const word = (of: string, example: string) =>
  z
    .string()
    .min(1, "must not be empty")
    .max(64, "at most 64 characters")
    .describe(`sent with ${of}`)
    .meta({ examples: [example] });
const inputTypes = z.object({
  query: word("queries", "search_query"),
  document: word("texts that are stored", "search_document"),
});

const choice =
  'expected "none", ' +
  documentInputTypes.map((each) => `"${each}", `).join("") +
  "or an object with query and document";
const inputType = z.union([z.enum(["none", ...documentInputTypes]), inputTypes], choice);

/** What a request may say of a new store's prompts. */
export const askedPrompts = { query_prefix: prefix, document_prefix: prefix, input_type: optional(inputType) };
type Body = { [K in keyof typeof askedPrompts]: z.output<(typeof askedPrompts)[K]> };

/** What a store's answer says of them. */
export const shownPrompts = {
  query_prefix: z.string().optional(),
  document_prefix: z.string().optional(),
  input_type: inputTypes.optional(),
};

/** What a body says of them; what it does not say is absent. */
export function readPrompts({ query_prefix, document_prefix, input_type }: Body): AskedPrompts {
  return {
    ...(query_prefix !== undefined && { queryPrefix: readPrefix(query_prefix) }),
    ...(document_prefix !== undefined && { documentPrefix: readPrefix(document_prefix) }),
    ...(input_type !== undefined && {
      inputType: typeof input_type === "string" ? inputTypesFor(input_type) : input_type,
    }),
  };
}

/** What a store's metadata says of them; values that cannot be used are absent. */
export function promptsIn(values: Readonly<Record<string, unknown>> | undefined): AskedPrompts {
  const usable = Object.entries(askedPrompts).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(values?.[name]);
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data] as const] : [];
  });
  return readPrompts(Object.fromEntries(usable) as Body);
}

/** The fields of an answer. */
export const presentPrompts = ({ queryPrefix, documentPrefix, inputType: types }: Prompts) => ({
  ...(queryPrefix === "" ? {} : { query_prefix: queryPrefix }),
  ...(documentPrefix === "" ? {} : { document_prefix: documentPrefix }),
  ...(types === null ? {} : { input_type: types }),
});
