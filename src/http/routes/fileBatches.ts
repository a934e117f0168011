import * as batches from "../../core/files/fileBatches.js";
import * as storeFiles from "../../core/files/storeFiles.js";
import { route } from "../route.js";
import { listAnswer, presentList, storeParams } from "../wire/common.js";
import { setPollAfter } from "../wire/polling.js";
import {
  batchOfFilesAnswer,
  batchParams,
  createBatchOfFilesBody,
  listStoreFilesQuery,
  presentFileBatch,
  presentStoreFile,
  readBatch,
  storeFileAnswer,
} from "../wire/storeFile.js";

const tag = "Files of a store";

export const fileBatchRoutes = [
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/file_batches",
    may: "store:write",
    tag,
    summary: "Attach several files to a store",
    params: storeParams,
    body: createBatchOfFilesBody,
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params, body, res }) => {
      const batch = presentFileBatch(await batches.create(deps, caller, params.vector_store_id, readBatch(body)));
      setPollAfter(res, batch.status);
      return batch;
    },
  }),
  route({
    method: "get",
    path: "/vector_stores/:vector_store_id/file_batches/:batch_id",
    may: "store:read",
    tag,
    summary: "Retrieve a file batch",
    params: batchParams,
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params, res }) => {
      const batch = presentFileBatch(await batches.retrieve(deps, caller, params.vector_store_id, params.batch_id));
      setPollAfter(res, batch.status);
      return batch;
    },
  }),
  route({
    method: "post",
    path: "/vector_stores/:vector_store_id/file_batches/:batch_id/cancel",
    may: "store:write",
    tag,
    summary: "Cancel the unfinished files of a batch",
    params: batchParams,
    answer: batchOfFilesAnswer,
    handle: async ({ deps, caller, params }) =>
      presentFileBatch(await batches.cancel(deps, caller, params.vector_store_id, params.batch_id)),
  }),
  route({
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
      await batches.retrieve(deps, caller, storeId, batchId);
      const { filter, after, before, ...page } = query;
      const { files, hasMore } = await storeFiles.list(
        deps,
        caller,
        storeId,
        { batchId, status: filter ?? null },
        { ...page, after: after ?? null, before: before ?? null },
      );
      return presentList(files.map(presentStoreFile), hasMore);
    },
  }),
];
