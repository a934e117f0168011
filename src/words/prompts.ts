/**
 * How an embedding model is told what a text is for: many find far less if queries and documents look the same to them,
 * and some refuse a text without a purpose. Part of a store, because its vectors are only comparable under one choice.
 */
export interface Prompts {
  /** Stands before each query. */
  queryPrefix: string;
  /** Stands before each text that is stored. */
  documentPrefix: string;
  /** Sent as `input_type`; null: nothing is sent. */
  inputType: InputTypes | null;
}

export interface InputTypes {
  query: string;
  document: string;
}

/** What a request or the settings say of them. An absent field leaves the choice to what is known of the model. */
export type AskedPrompts = Partial<Prompts>;

/** A prefix as it is said in a request or the settings: `none` means nothing, because a setting cannot be empty. */
export const readPrefix = (prefix: string): string => (prefix === "none" ? "" : prefix);

/** In characters. The longest that a model card asks for has a hundred. */
export const longestPrefix = 500;

export type Purpose = "query" | "document";

export const noPrompts: Prompts = { queryPrefix: "", documentPrefix: "", inputType: null };

export const isNoPrompts = ({ queryPrefix, documentPrefix, inputType }: Prompts): boolean =>
  queryPrefix === "" && documentPrefix === "" && inputType === null;

export const prefixOf = (prompts: Prompts, purpose: Purpose): string =>
  purpose === "query" ? prompts.queryPrefix : prompts.documentPrefix;

/** The pairs that providers know, by what they call a document: Cohere, NVIDIA NIM, Voyage. */
const pairs: Readonly<Record<string, string>> = {
  search_document: "search_query",
  passage: "query",
  document: "query",
};

export const documentInputTypes = Object.keys(pairs);

/** The pair to which a provider's name for documents belongs; null: none that is known. */
export function inputTypesFor(document: string): InputTypes | null {
  const query = Object.hasOwn(pairs, document) ? pairs[document] : undefined;
  return query === undefined ? null : { query, document };
}
