import type { Request } from "express";
import { pipeline } from "node:stream/promises";
import type { Deps } from "../../core/deps.js";
import * as files from "../../core/files/files.js";
import { clientLeft, errorCode, invalid } from "../../words/errors.js";
import { z } from "zod";
import { keeperOf, readForm } from "../bodies/multipart.js";
import { route } from "../route.js";
import { listAnswer, presentList } from "../wire/common.js";
import {
  deletedFileAnswer,
  fileAnswer,
  fileFields,
  fileFormBody,
  fileParams,
  listFilesQuery,
  presentFile,
} from "../wire/file.js";
import type { Parse } from "../wire/parse.js";

const tag = "Files";
const binary = z.string().meta({ format: "binary" });

export const fileRoutes = [
  route({
    id: "createFile",
    method: "post",
    path: "/files",
    may: "store:write",
    tag,
    summary: "Upload a file",
    description: "Stores the file unchanged. Attach it to a vector store to make it searchable.",
    form: fileFormBody.extend({ file: binary }),
    answer: fileAnswer,
    handle: async ({ deps, caller, req, parse }) =>
      presentFile(await files.create(deps, caller, () => receive(deps, req, parse))),
  }),
  route({
    id: "listFiles",
    method: "get",
    path: "/files",
    may: "store:read",
    tag,
    summary: "List files",
    query: listFilesQuery,
    answer: listAnswer("FileList", fileAnswer),
    handle: async ({ deps, caller, query }) => {
      const page = { ...query, purpose: query.purpose ?? null, after: query.after ?? null };
      const { files: found, hasMore } = await files.list(deps, caller, page);
      return presentList(found.map(presentFile), hasMore);
    },
  }),
  route({
    id: "retrieveFile",
    method: "get",
    path: "/files/:file_id",
    may: "store:read",
    tag,
    summary: "Retrieve a file",
    params: fileParams,
    answer: fileAnswer,
    handle: async ({ deps, caller, params }) => presentFile(await files.find(deps, caller, params.file_id)),
  }),
  route({
    id: "downloadFile",
    method: "get",
    path: "/files/:file_id/content",
    may: "store:read",
    tag,
    summary: "Download a file",
    description: "Returns the bytes as they were uploaded.",
    params: fileParams,
    answer: binary,
    answerType: "application/octet-stream",
    handle: async ({ deps, caller, params, res }) => {
      const { file, bytes } = await files.open(deps, caller, params.file_id);
      // Whatever the file contains, browsers must not show it as a page of this server.
      res.attachment(file.filename).set({
        "content-type": "application/octet-stream",
        "content-length": String(file.bytes),
      });
      await pipeline(bytes, res).catch((error: unknown) => {
        throw errorCode(error) === "ERR_STREAM_PREMATURE_CLOSE" ? clientLeft() : error;
      });
    },
  }),
  route({
    id: "deleteFile",
    method: "delete",
    path: "/files/:file_id",
    may: "store:write",
    tag,
    summary: "Delete a file and remove it from all vector stores",
    params: fileParams,
    answer: deletedFileAnswer,
    handle: async ({ deps, caller, params }) => {
      await files.remove(deps, caller, params.file_id);
      return { id: params.file_id, object: "file", deleted: true };
    },
  }),
];

/** Reads a form with one file. Fields may follow the file, so `input` checks them at the end. */
async function receive(deps: Deps, req: Request, parse: Parse) {
  const allowed = { fileBytes: deps.config.files.maxBytes, files: 1 };
  const { files: parts, fields } = await readForm(req, allowed, keeperOf(deps));
  const [kept] = parts;
  if (kept === undefined) throw invalid("file", "required: a form part with a file");
  const input = () => {
    const { purpose, expires_after: life } = parse(fileFormBody, fileFields(fields), null);
    return { purpose, expiresAfter: life?.seconds ?? null };
  };
  return { kept, input };
}
