import * as chunks from "../../core/chunks/chunks.js";
import type { Chunk } from "../../words/chunk.js";
import { insertChunks } from "../../core/chunks/insert.js";
import * as oneRow from "../../core/chunks/oneRow.js";
import type { EmbeddingInput } from "../../core/chunks/rowChecks.js";
import { invalid } from "../../words/errors.js";
import { parseFilter } from "../../words/filter.js";
import { route } from "../route.js";
import { readBatch, readRow } from "../bodies/batchBody.js";
import { answerBulkLoad } from "../bodies/bulkLoad.js";
import { listAnswer, presentList, storeParams } from "../wire/common.js";
import { insertQuery, readConflictRule } from "../wire/conflictRule.js";
import {
  changeEmbeddingBody,
  createBatchBody,
  createEmbeddingBody,
  deleteEmbeddingsBody,
  deleteEmbeddingsQuery,
  deletedEmbeddingAnswer,
  deletedEmbeddingsAnswer,
  embeddingAnswer,
  listEmbeddingsQuery,
  presentChunk,
  readChange,
  rowParams,
  rowQuery,
  toInput,
} from "../wire/embedding.js";
import { batchAnswer, insertedAnswer, presentBatch, presentRow } from "../wire/inserted.js";
import { parseFilterText } from "../wire/filters.js";

const tag = "Embeddings of a store";

export const embeddingRoutes = [
  route({
    id: "insertEmbedding",
    method: "post",
    path: "/vector_stores/:vector_store_id/embeddings",
    may: "store:write",
    tag,
    summary: "Add one embedding",
    description:
      "Without `embedding`, the service embeds the content. With your own `id`, the request is safe to repeat.",
    params: storeParams,
    query: insertQuery,
    body: createEmbeddingBody,
    example: { content: "Returns are accepted within 30 days.", metadata: { category: "returns" } },
    readBody: readRow,
    answer: insertedAnswer,
    handle: async ({ deps, caller, params, query, body, signal }) => {
      const storeId = params.vector_store_id;
      const row = toInput(body, null);
      const rule = readConflictRule(query, body.on_conflict);
      const options = { ...(rule === null ? {} : { onConflict: rule }), signal };
      const inserted = await insertChunks(deps, caller, storeId, [row], () => "", options);
      const stored = await chunks.read(deps, caller, storeId, inserted.skipped, signal);
      return presentRow(storeId, row, { inserted, stored }, rule);
    },
  }),
  route({
    id: "insertEmbeddings",
    method: "post",
    path: "/vector_stores/:vector_store_id/embeddings/batch",
    may: "store:write",
    tag,
    summary: "Add many embeddings at once, or stream any number",
    description:
      "JSON is stored in one transaction: either every row is stored or none is. `application/x-ndjson` takes any number of rows, one per line, and " +
      "stores them in chunks of one transaction each. The answer has a line of JSON after every chunk; the last line is the result or an error.",
    params: storeParams,
    query: insertQuery,
    body: createBatchBody,
    example: {
      embeddings: [
        { content: "Returns are accepted within 30 days.", metadata: { category: "returns" } },
        { content: "Shipping is free for orders over $50.", metadata: { category: "shipping" } },
      ],
    },
    bodyLimit: (deps) => deps.config.maxBodyBytes,
    readBody: readBatch,
    answer: batchAnswer,
    handleStream: {
      contentType: "application/x-ndjson",
      handle: ({ deps, caller, params, query, ...call }) =>
        answerBulkLoad(deps, caller, params.vector_store_id, { ...call, rule: query.on_conflict ?? null }),
    },
    handle: async ({ deps, caller, params, query, body, signal }) => {
      const storeId = params.vector_store_id;
      // `readBatch` has already parsed them into this type.
      const rows = body.embeddings as EmbeddingInput[];
      const rule = readConflictRule(query, body.on_conflict);
      const inserted = await insertChunks(deps, caller, storeId, rows, (i) => `embeddings[${i}]`, {
        ...(rule === null ? {} : { onConflict: rule }),
        claimedModel: body.embedding_model ?? null,
        signal,
      });
      const kind = body.return ?? "full";
      const stored = await chunks.read(deps, caller, storeId, kind === "full" ? inserted.skipped : [], signal);
      return presentBatch(storeId, rows, { inserted, stored }, { kind, rule });
    },
  }),
  route({
    id: "listEmbeddings",
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
      const { vector_store_id: storeId } = params;
      const { chunks: rows, files, hasMore } = await chunks.list(deps, caller, storeId, selection, wanted, signal);
      const present = (row: Chunk) => presentChunk(storeId, row, query.encoding_format, files.get(row.id));
      return presentList(rows.map(present), hasMore);
    },
  }),
  route({
    id: "deleteEmbeddings",
    method: "delete",
    path: "/vector_stores/:vector_store_id/embeddings",
    may: "store:write",
    tag,
    summary: "Delete a store's embeddings by id or by filter",
    description:
      'Requires `ids`, `filters` (with both, only rows that match both are deleted), or `{"all": true}`. Chunks of attached files are not ' +
      "deleted: they leave with their file. `deleted` does not count them, and an id of one is 409.",
    params: storeParams,
    query: deleteEmbeddingsQuery,
    body: deleteEmbeddingsBody,
    example: { filters: { category: "returns" } },
    bodyOptional: true,
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
  route({
    id: "retrieveEmbedding",
    method: "get",
    path: "/vector_stores/:vector_store_id/embeddings/:embedding_id",
    may: "store:read",
    tag,
    summary: "Retrieve one embedding",
    description: "Rows of files are found too, once the file is complete. `include=embedding` adds the vector.",
    params: rowParams,
    query: rowQuery,
    answer: embeddingAnswer,
    handle: async ({ deps, caller, params, query, signal }) => {
      const storeId = params.vector_store_id;
      const wanted = query.include === "embedding";
      const { row, fileId } = await oneRow.find(deps, caller, storeId, params.embedding_id, wanted, signal);
      return presentChunk(storeId, row, query.encoding_format, fileId);
    },
  }),
  route({
    id: "updateEmbedding",
    method: "patch",
    path: "/vector_stores/:vector_store_id/embeddings/:embedding_id",
    may: "store:write",
    tag,
    summary: "Change one embedding",
    description:
      "What is absent or null stays. New `content` is embedded by the store's model unless an `embedding` is given too; `metadata` replaces the " +
      "whole of the old. Chunks of files cannot be changed here (409).",
    params: rowParams,
    body: changeEmbeddingBody,
    readBody: readRow,
    answer: embeddingAnswer,
    handle: async ({ deps, caller, params, body, signal }) => {
      const storeId = params.vector_store_id;
      const row = await oneRow.change(deps, caller, storeId, params.embedding_id, readChange(body), signal);
      return presentChunk(storeId, row, "float");
    },
  }),
  route({
    id: "deleteEmbedding",
    method: "delete",
    path: "/vector_stores/:vector_store_id/embeddings/:embedding_id",
    may: "store:write",
    tag,
    summary: "Delete one embedding",
    description: "Chunks of files cannot be deleted here (409): detach the file.",
    params: rowParams,
    answer: deletedEmbeddingAnswer,
    handle: async ({ deps, caller, params, signal }) => {
      const id = await oneRow.remove(deps, caller, params.vector_store_id, params.embedding_id, signal);
      return { id, object: "embedding.deleted", deleted: true };
    },
  }),
];
