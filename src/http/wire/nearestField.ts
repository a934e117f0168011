import { letterChanges } from "../../words/spelling.js";

/** Other names by which clients of vector databases know a field. Within a list, each may stand for each. */
const synonyms: readonly (readonly string[])[] = [
  ["filters", "filter", "where", "metadata_filter", "metadata_filters", "query_filter", "conditions"],
  [
    ...["max_num_results", "top_k", "limit", "top_n", "k", "n", "n_results", "num_results", "max_results"],
    ...["results", "size", "count", "page_size", "per_page"],
  ],
  ["query", "q", "text", "question", "prompt", "input", "search"],
  ["content", "text", "document", "page_content", "body"],
  ["attributes", "metadata", "meta", "metadatas", "payload", "tags"],
  ["embeddings", "rows", "items", "vectors", "documents", "data"],
  ["embedding", "vector", "values"],
  ["embedding_dimensions", "dimensions", "dimension", "dims", "vector_size"],
  ["embedding_model", "model"],
  ["score_threshold", "threshold", "min_score", "score"],
  ["ids", "id", "chunk_ids", "embedding_ids", "uuids"],
  ["file_id", "file"],
  ["file_ids", "files"],
  ["after", "page", "cursor", "next_page", "page_token", "starting_after", "offset", "skip"],
  ["before", "ending_before"],
  ["filter", "status", "state"],
  ["order", "sort", "order_by", "sort_by"],
  ["system_prompt", "system", "instructions"],
  ["max_tokens", "max_completion_tokens", "max_output_tokens"],
  ["replace", "overwrite", "upsert"],
];

/** `topK`, `Top-K` and `top_k` are one name. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[-_.[\] ]/g, "");

const groups = synonyms.map((group) => group.map(plain));

/**
 * The field that a caller most likely meant by an unknown one; null if none is near. First the same name written
 * differently, then other names for the same thing, then the fewest changed letters.
 */
export function nearestField(
  name: string,
  { known, deeper = [] }: { known: readonly string[]; deeper?: readonly string[] },
): string | null {
  const meant = plain(name.slice(0, 64));
  const isSame = (field: string) => plain(field) === meant;
  const same = known.find(isSame) ?? deeper.find((field) => isSame(field.slice(field.indexOf(".") + 1)));
  if (same !== undefined) return same;
  // In the order of the list: the first is the usual name.
  const byMeaning = groups
    .filter((group) => group.includes(meant))
    .flat()
    .map((other) => known.find((field) => plain(field) === other))
    .find((field) => field !== undefined);
  const byLetters = known
    .map((field) => ({ field, changes: letterChanges(meant, plain(field)) }))
    .filter(({ field, changes }) => changes <= Math.max(1, Math.floor(plain(field).length / 3)))
    .sort((a, b) => a.changes - b.changes)[0];
  return byMeaning ?? byLetters?.field ?? null;
}
