import type { Request } from "express";
import { z } from "zod";
import { attachFile } from "../../core/files/attach.js";
import { uploadDocuments } from "../../core/files/documents.js";
import * as storeFiles from "../../core/files/storeFiles.js";
import { addTexts } from "../../core/files/texts.js";
import type { Deps } from "../../core/deps.js";
import { invalid } from "../../words/errors.js";
import { keeperOf, readForm } from "../bodies/multipart.js";
import { route } from "../route.js";
import { listAnswer, presentList, storeParams } from "../wire/common.js";
import { contentAnswer, contentQuery, presentContent } from "../wire/fileContent.js";
import type { Parse } from "../wire/parse.js";
import {
  addFileBody,
  detachedAnswer,
  listStoreFilesQuery,
  presentStoreFile,
  readAttach,
  readFileList,
  storeFileAnswer,
  storeFileParams,
  updateFileBody,
} from "../wire/storeFile.js";
import { readUploadForm, uploadForm } from "../wire/uploadForm.js";
import { setPollAfter } from "../answerHeaders.js";

const tag = "Files of a store";
/** Files per upload. */
const mostFiles = 100;

const listed = listAnswer("VectorStoreFileList", storeFileAnswer);
/** One file, or a list if there are several. */
const oneOrList = z.union([storeFileAnswer, listed]).meta({ id: "VectorStoreFileOrList" });

export const storeFileRoutes = [
  route({
    id: "createVectorStoreFile",
    method: "post",
    path: "/vector_stores/:vector_store_id/files",
    may: "store:write",
    litellm: "file_create",
    tag,
    summary: "Attach a file to a store, or add texts",
    description:
      "Small files are searchable when the answer comes; larger ones have the status `in_progress` until they are. With `texts`, each text becomes " +
      "a separate file, with the attributes at the same position in `metadatas`.",
    params: storeParams,
    body: addFileBody,
    example: { file_id: "file-0190f2c4a7e87d3f9b1c2d3e4f5a6b7c", attributes: { category: "returns" } },
    answer: oneOrList,
    handle: async ({ deps, caller, params, body, res }) => {
      const { vector_store_id: storeId } = params;
      const model = body.embedding_model ?? null;
      if (body.file_id !== undefined) {
        const file = await attachFile(
          deps,
          caller,
          storeId,
          readAttach(body.file_id, body, deps.config.files.autoCutting),
          model,
        );
        setPollAfter(res, file.status);
        return presentStoreFile(file);
      }
      const { settings } = readAttach("", body, deps.config.files.autoCutting);
      const { texts = [], metadatas = [] } = body;
      const added = await addTexts(deps, caller, storeId, { texts, metadatas, settings, model });
      return presentList(added.map(presentStoreFile), false);
    },
  }),
  route({
    id: "uploadDocuments",
    method: "post",
    path: "/vector_stores/:vector_store_id/upload",
    may: "store:write",
    tag,
    summary: "Upload documents into a store",
    description:
      "Answers when the documents are searchable, or says why one cannot be read. With the header `Prefer: respond-async`, answers 202 at once. " +
      "A sender that leaves before the answer ends the work; after a 202 it goes on. " +
      "A document that is already in the store is not added again; with `replace=true`, it replaces files of the same name.",
    params: storeParams,
    form: uploadForm.extend({ file: z.string().meta({ format: "binary" }) }),
    answer: oneOrList,
    alsoStatus: { status: 202, when: "With `Prefer: respond-async`: the documents are being read" },
    handle: async ({ deps, caller, params, req, res, parse, signal }) => {
      const later = prefersAsync(req);
      const added = await uploadDocuments(deps, caller, params.vector_store_id, () => receive(deps, req, parse), {
        later,
        signal,
      });
      if (later) res.status(202).set("preference-applied", "respond-async");
      const [first] = added;
      return added.length === 1 && first !== undefined
        ? presentStoreFile(first)
        : presentList(added.map(presentStoreFile), false);
    },
  }),
  route({
    id: "listVectorStoreFiles",
    method: "get",
    path: "/vector_stores/:vector_store_id/files",
    may: "store:read",
    litellm: "file_list",
    tag,
    summary: "List the files of a store",
    params: storeParams,
    query: listStoreFilesQuery,
    answer: listed,
    handle: async ({ deps, caller, params, query }) => {
      const { selection, page } = readFileList(query);
      const which = { ...selection, batchId: null };
      const { files, hasMore } = await storeFiles.list(deps, caller, params.vector_store_id, which, page);
      return presentList(files.map(presentStoreFile), hasMore);
    },
  }),
  route({
    id: "retrieveVectorStoreFile",
    method: "get",
    path: "/vector_stores/:vector_store_id/files/:file_id",
    may: "store:read",
    litellm: "file_retrieve",
    tag,
    summary: "Retrieve a file of a store and the progress of its ingestion",
    params: storeFileParams,
    answer: storeFileAnswer,
    handle: async ({ deps, caller, params, res }) => {
      const file = await storeFiles.find(deps, caller, params.vector_store_id, params.file_id);
      setPollAfter(res, file.status);
      return presentStoreFile(file);
    },
  }),
  route({
    id: "updateVectorStoreFile",
    method: "post",
    path: "/vector_stores/:vector_store_id/files/:file_id",
    may: "store:write",
    litellm: "file_update",
    tag,
    summary: "Set the attributes of a file of a store",
    params: storeFileParams,
    body: updateFileBody,
    answer: storeFileAnswer,
    handle: async ({ deps, caller, params, body }) =>
      presentStoreFile(
        await storeFiles.setAttributes(deps, caller, params.vector_store_id, params.file_id, body.attributes),
      ),
  }),
  route({
    id: "deleteVectorStoreFile",
    method: "delete",
    path: "/vector_stores/:vector_store_id/files/:file_id",
    may: "store:write",
    litellm: "file_delete",
    tag,
    summary: "Detach a file from a store",
    description: "The file itself stays until you delete it with DELETE /v1/files/{file_id}.",
    params: storeFileParams,
    answer: detachedAnswer,
    handle: async ({ deps, caller, params }) => {
      await storeFiles.detach(deps, caller, params.vector_store_id, params.file_id);
      return { id: params.file_id, object: "vector_store.file.deleted", deleted: true };
    },
  }),
  route({
    id: "retrieveVectorStoreFileContent",
    method: "get",
    path: "/vector_stores/:vector_store_id/files/:file_id/content",
    may: "store:read",
    litellm: "file_content",
    tag,
    summary: "Retrieve the text of a file, chunk by chunk",
    params: storeFileParams,
    query: contentQuery,
    answer: contentAnswer,
    handle: async ({ deps, caller, params, query, signal }) => {
      const { vector_store_id: storeId, file_id: fileId } = params;
      const wanted = { after: query.page ?? null, embeddings: query.include_embeddings === "true" };
      return presentContent(fileId, await storeFiles.content(deps, caller, storeId, fileId, wanted, signal), query);
    },
  }),
];

/** Reads an upload: its documents and the form's settings. @throws ApiError 400; then nothing of the upload is kept */
async function receive(deps: Deps, req: Request, parse: Parse) {
  const keeper = keeperOf(deps);
  const form = await readForm(req, { fileBytes: deps.config.files.maxBytes, files: mostFiles }, keeper);
  try {
    if (form.files.length === 0) throw invalid("file", "required: a form part with a file");
    const settings = readUploadForm(form.fields, parse);
    return { kept: form.files, settings };
  } catch (error) {
    for (const kept of form.files) await keeper.drop(kept);
    throw error;
  }
}

/** Whether the request has `Prefer: respond-async` (RFC 7240). */
function prefersAsync(req: Request): boolean {
  const preferences = req.get("prefer") ?? "";
  return preferences.split(",").some((each) => /^\s*respond-async\s*(;|$)/i.test(each));
}
