import * as chunks from "../../core/chunks/chunks.js";
import { insertChunks } from "../../core/chunks/insert.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import { invalid } from "../../words/errors.js";
import { parseFilter } from "../../words/filter.js";
import { route } from "../route.js";
import { readBatch, readRow } from "../bodies/batchBody.js";
import { answerBulkLoad } from "../bodies/bulkLoad.js";
import { listAnswer, presentList, storeParams } from "../wire/common.js";
import {
  batchAnswer,
  createBatchBody,
  createEmbeddingBody,
  deleteEmbeddingsBody,
  deleteEmbeddingsQuery,
  deletedEmbeddingsAnswer,
  embeddingAnswer,
  listEmbeddingsQuery,
  presentBatch,
  presentChunk,
  presentInserted,
  toInput,
} from "../wire/embedding.js";
import { parseFilterText } from "../wire/search.js";

const tag = "Embeddings of a store";

export const embeddingRoutes = [
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/embeddings",
    may: "store:write",
    tag,
    summary: "Add one embedding",
    description:
      "Without `embedding`, the service embeds the content. With your own `id`, the request is safe to repeat.",
    params: storeParams,
    body: createEmbeddingBody,
    readBody: readRow,
    answer: embeddingAnswer,
    handle: async ({ deps, caller, params, body, signal }) => {
      const row = toInput(body, null);
      const inserted = await insertChunks(deps, caller, params.vector_store_id, [row], () => "", { signal });
      return presentInserted(params.vector_store_id, row, inserted.ids[0] ?? "", inserted.createdAt);
    },
  }),
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/embeddings/batch",
    may: "store:write",
    tag,
    summary: "Add up to 10,000 embeddings at once, or stream any number",
    description:
      "JSON is stored in one transaction: either every row is stored or none is. `application/x-ndjson` takes any number of rows, one per line, and " +
      "stores them in chunks of one transaction each. The answer has a line of JSON after every chunk; the last line is the result or an error.",
    params: storeParams,
    body: createBatchBody,
    bodyLimit: (deps) => deps.config.maxBodyBytes,
    readBody: readBatch,
    answer: batchAnswer,
    handleStream: {
      contentType: "application/x-ndjson",
      handle: ({ deps, caller, params, ...call }) => answerBulkLoad(deps, caller, params.vector_store_id, call),
    },
    handle: async ({ deps, caller, params, body, signal }) => {
      // `readBatch` has already parsed them into this type.
      const rows = body.embeddings as EmbeddingInput[];
      const inserted = await insertChunks(deps, caller, params.vector_store_id, rows, (i) => `embeddings[${i}]`, {
        claimedModel: body.embedding_model ?? null,
        signal,
      });
      return presentBatch(params.vector_store_id, rows, inserted, body.return ?? "full");
    },
  }),
  route({
    method: "get",
    path: "/vector_stores/:vector_store_id/embeddings",
    may: "store:read",
    tag,
    summary: "List a store's embeddings",
    description:
      "Sorted by id, which is the order of insertion for ids that the service created. `include=embedding` adds the vectors.",
    params: storeParams,
    query: listEmbeddingsQuery,
    answer: listAnswer("EmbeddingList", embeddingAnswer),
    handle: async ({ deps, caller, params, query, signal }) => {
      const selection = { filter: parseFilterText(query.filters) };
      const wanted = {
        limit: query.limit,
        order: query.order,
        after: query.after ?? null,
        before: query.before ?? null,
        embeddings: query.include === "embedding",
      };
      const page = await chunks.list(deps, caller, params.vector_store_id, selection, wanted, signal);
      return presentList(
        page.chunks.map((chunk) => presentChunk(params.vector_store_id, chunk, query.encoding_format)),
        page.hasMore,
      );
    },
  }),
  route({
    method: "delete",
    path: "/vector_stores/:vector_store_id/embeddings",
    may: "store:write",
    tag,
    summary: "Delete a store's embeddings by id or by filter",
    description: 'Requires `ids`, `filters` (with both, only rows that match both are deleted), or `{"all": true}`.',
    params: storeParams,
    query: deleteEmbeddingsQuery,
    body: deleteEmbeddingsBody,
    bodyOptional: true,
    bodyLimit: (deps) => deps.config.maxBodyBytes,
    answer: deletedEmbeddingsAnswer,
    handle: async ({ deps, caller, params, query, body, signal }) => {
      const fromBody = parseFilter(body.filters);
      const fromQuery = parseFilterText(query.filters);
      // Applying only one of them would delete rows that the other excludes.
      if (fromBody !== null && fromQuery !== null)
        throw invalid("filters", "given both in the body and in the query string; keep one");
      const filter = fromBody ?? fromQuery;
      if (filter === null && body.ids === undefined && body.all !== true) {
        throw invalid("filters", 'say what to delete: "ids", "filters" that are not empty, or "all": true');
      }
      const selection = { filter, ids: body.ids ?? null };
      const deleted = await chunks.remove(deps, caller, params.vector_store_id, selection, signal);
      return { object: "embedding.deleted", vector_store_id: params.vector_store_id, deleted };
    },
  }),
];
