import { hashText } from "../src/litellm/hashing.js";
import { type Source, createTexts, topics } from "./data.js";

const chunksPerDocument = 20;
/**
 * A section is a text of about 500 characters; a chunk shares half of its sections with the next, as OpenAI's chunks
 * do.
 */
const sectionsPerChunk = 6;
const step = sectionsPerChunk / 2;
const sectionsPerDocument = (chunksPerDocument + 1) * step;

/**
 * Documents of one topic each, in chunks of about 3,000 characters whose metadata gives their position, so that
 * adjacent ones are recognised. Questions are about a topic, and no two are the same.
 */
export function createLongRows(dimensions: number): Source {
  const texts = createTexts();
  const vectorOf = (text: string) => hashText(text, dimensions);
  const section = (document: number, n: number) =>
    texts.content((document % topics) + topics * (Math.floor(document / topics) * sectionsPerDocument + n));
  return {
    vectorOf,
    row(n) {
      const document = Math.floor(n / chunksPerDocument);
      const index = n % chunksPerDocument;
      const own = Array.from({ length: sectionsPerChunk }, (_, i) => section(document, index * step + i));
      const content = own.join("\n");
      const metadata = { file_id: `file-${document}`, filename: `document-${document}.txt`, chunk_index: index };
      return { content, metadata, vector: vectorOf(content) };
    },
    query(n) {
      const text = texts.query(n);
      return { text, vector: vectorOf(text) };
    },
  };
}
