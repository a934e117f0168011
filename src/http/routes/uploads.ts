import { z } from "zod";
import * as uploads from "../../core/files/uploads.js";
import { invalid } from "../../words/errors.js";
import { keeperOf, readForm } from "../bodies/multipart.js";
import { route } from "../route.js";
import {
  completeUploadBody,
  createUploadBody,
  presentPart,
  presentUpload,
  uploadAnswer,
  uploadParams,
  uploadPartAnswer,
} from "../wire/file.js";

const tag = "Uploads";
/** OpenAI's limit for one part. */
const partBytes = 64 * 1024 * 1024;

export const uploadRoutes = [
  route({
    id: "createUpload",
    method: "post",
    path: "/uploads",
    may: "store:write",
    tag,
    summary: "Start an upload in parts",
    description: "The upload expires after an hour.",
    body: createUploadBody,
    answer: uploadAnswer,
    handle: async ({ deps, caller, body }) => {
      const { mime_type: mimeType, expires_after: life, ...rest } = body;
      const input = { ...rest, mimeType, fileExpiresAfter: life?.seconds ?? null };
      return presentUpload(await uploads.create(deps, caller, input), null);
    },
  }),
  route({
    id: "addUploadPart",
    method: "post",
    path: "/uploads/:upload_id/parts",
    may: "store:write",
    tag,
    summary: "Add a part to an upload",
    description: "A part has at most 64 MB. Parts may be sent concurrently and in any order.",
    params: uploadParams,
    form: z.object({ data: z.string().meta({ format: "binary" }) }),
    answer: uploadPartAnswer,
    handle: async ({ deps, caller, params, req, parse }) => {
      const receive = async () => {
        const keeper = keeperOf(deps);
        const form = await readForm(req, { fileBytes: partBytes, files: 1 }, keeper);
        const [part] = form.files;
        if (part === undefined) throw invalid("data", "required: a form part with bytes");
        try {
          parse(z.object({}), Object.fromEntries(form.fields), null);
        } catch (error) {
          await keeper.drop(part);
          throw error;
        }
        return part;
      };
      return presentPart(await uploads.addPart(deps, caller, params.upload_id, receive));
    },
  }),
  route({
    id: "completeUpload",
    method: "post",
    path: "/uploads/:upload_id/complete",
    may: "store:write",
    tag,
    summary: "Complete an upload: join its parts into a file",
    description:
      "Safe to repeat: a completed upload answers with the same file for as long as it exists, whatever `part_ids` are, because the parts are gone. " +
      "`md5` is compared with the file then, too.",
    params: uploadParams,
    body: completeUploadBody,
    answer: uploadAnswer,
    handle: async ({ deps, caller, params, body }) => {
      const { upload, file } = await uploads.complete(deps, caller, params.upload_id, body.part_ids, body.md5 ?? null);
      return presentUpload(upload, file);
    },
  }),
  route({
    id: "cancelUpload",
    method: "post",
    path: "/uploads/:upload_id/cancel",
    may: "store:write",
    tag,
    summary: "Cancel an upload",
    params: uploadParams,
    answer: uploadAnswer,
    handle: async ({ deps, caller, params }) =>
      presentUpload(await uploads.cancel(deps, caller, params.upload_id), null),
  }),
];
