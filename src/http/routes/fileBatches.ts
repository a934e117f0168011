import * as fileBatches from "../../core/files/fileBatches.js";
import { route } from "../route.js";
import { listAnswer, presentList, storeParams } from "../wire/common.js";
import { setPollAfter } from "../answerHeaders.js";
import {
  batchOfFilesAnswer,
  batchParams,
  createBatchOfFilesBody,
  listStoreFilesQuery,
  presentFileBatch,
  presentStoreFile,
  readBatch,
  readFileList,
  storeFileAnswer,
} from "../wire/storeFile.js";

const tag = "Files of a store";

export const fileBatchRoutes = [
  route({
    id: "createVectorStoreFileBatch",
    method: "post",
    path: "/vector_stores/:vector_store_id/file_batches",
    may: "store:write",
    tag,
    summary: "Attach several files to a store",
    params: storeParams,
    body: createBatchOfFilesBody,
    example: { file_ids: ["file-0190f2c4a7e87d3f9b1c2d3e4f5a6b7c"], attributes: { category: "returns" } },
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params, body, res }) => {
      const { vector_store_id: storeId } = params;
      const files = readBatch(body, deps.config.files.autoCutting);
      const batch = presentFileBatch(
        await fileBatches.create(deps, caller, storeId, files, body.embedding_model ?? null),
      );
      setPollAfter(res, batch.status);
      return batch;
    },
  }),
  route({
    id: "retrieveVectorStoreFileBatch",
    method: "get",
    path: "/vector_stores/:vector_store_id/file_batches/:batch_id",
    may: "store:read",
    tag,
    summary: "Retrieve a file batch",
    params: batchParams,
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params, res }) => {
      const batch = presentFileBatch(await fileBatches.find(deps, caller, params.vector_store_id, params.batch_id));
      setPollAfter(res, batch.status);
      return batch;
    },
  }),
  route({
    id: "cancelVectorStoreFileBatch",
    method: "post",
    path: "/vector_stores/:vector_store_id/file_batches/:batch_id/cancel",
    may: "store:write",
    tag,
    summary: "Cancel the unfinished files of a batch",
    params: batchParams,
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params }) =>
      presentFileBatch(await fileBatches.cancel(deps, caller, params.vector_store_id, params.batch_id)),
  }),
  route({
    id: "listVectorStoreFileBatchFiles",
    method: "get",
    path: "/vector_stores/:vector_store_id/file_batches/:batch_id/files",
    may: "store:read",
    tag,
    summary: "List the files of a batch",
    params: batchParams,
    query: listStoreFilesQuery,
    answer: listAnswer("FileBatchFileList", storeFileAnswer),
    handle: async ({ deps, caller, params, query }) => {
      const { vector_store_id: storeId, batch_id: batchId } = params;
      const { selection, page } = readFileList(query);
      const which = { ...selection, batchId };
      const { files, hasMore } = await fileBatches.listFiles(deps, caller, storeId, which, page);
      return presentList(files.map(presentStoreFile), hasMore);
    },
  }),
];
