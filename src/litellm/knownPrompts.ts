import { type Prompts, inputTypesFor, noPrompts } from "../words/prompts.js";

const prefixes = (queryPrefix: string, documentPrefix = ""): Prompts => ({
  queryPrefix,
  documentPrefix,
  inputType: null,
});
const typed = (document: string): Prompts => ({ ...noPrompts, inputType: inputTypesFor(document) });

const passages = "Represent this sentence for searching relevant passages: ";
const task = "Given a web search query, retrieve relevant passages that answer the query";

/**
 * What the model cards of known families ask for in retrieval; the first that fits counts. Families that ask for
 * nothing, such as bge-m3 and OpenAI's, are not listed.
 */
const families: readonly (readonly [RegExp, Prompts])[] = [
  [/^nvidia_nim\/|\bnv-embed|nemoretriever.*embed|\bnemotron.*embed/, typed("passage")],
  [/\bcohere[./-]*embed|^embed-(english|multilingual)-|^embed-v-?[34]/, typed("search_document")],
  [/\bvoyage-(\d|large|code|law|finance|multilingual|lite|context)/, typed("document")],
  [/\be5-mistral|\be5-(small|base|large)-instruct|\bgte-qwen/, prefixes(`Instruct: ${task}\nQuery: `)],
  [/\be5-(small|base|large)/, prefixes("query: ", "passage: ")],
  [/\bbge-.*noinstruct/, noPrompts],
  [/\bbge-(small|base|large)-zh/, prefixes("为这个句子生成表示以用于检索相关文章：")],
  [/\bbge-(small|base|large)(-en|:|$)/, prefixes(passages)],
  [/\bmxbai-embed-(large|2d)|\buae-large/, prefixes(passages)],
  [/\barctic-embed.*v2|\barctic-embed2/, prefixes("query: ")],
  [/\barctic-embed/, prefixes(passages)],
  [/\bnomic-embed-text/, prefixes("search_query: ", "search_document: ")],
  [/\bembeddinggemma/, prefixes("task: search result | query: ", "title: none | text: ")],
  [/\bqwen3-embedding/, prefixes(`Instruct: ${task}\nQuery:`)],
];

/** The prompts of the family that a model's name belongs to, such as `ollama/nomic-embed-text`; null: none is known. */
export function knownPrompts(model: string): Prompts | null {
  const name = model.toLowerCase();
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}
