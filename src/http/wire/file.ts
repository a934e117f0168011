import { z } from "zod";
import { invalid } from "../../words/errors.js";
import { parseJson } from "../bodies/jsonText.js";
import { optional, queryInteger, seconds } from "./common.js";
import type { StoredFile, Upload, UploadPart } from "../../words/file.js";

const purposes = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"] as const;

export const fileParams = z.object({ file_id: z.string().describe("id of the file") });
export const uploadParams = z.object({ upload_id: z.string().describe("id of the upload") });

const life = z.coerce
  .number({ error: "expected a number of seconds" })
  .int("expected a whole number of seconds")
  .min(3600, "must be at least 3600")
  .max(2_592_000, "must be at most 2592000");

const expiresAfter = z.object({
  anchor: z.literal("created_at", { error: 'expected "created_at"' }),
  seconds: life,
});

const purpose = z.enum(purposes, { error: `expected one of ${purposes.join(", ")}` });

/** The form's fields besides the file. */
const fileForm = z.object({ purpose, expires_after: optional(expiresAfter) });

/**
 * The fields of POST /v1/files: `expires_after[anchor]` and `expires_after[seconds]` as OpenAI's SDKs send them, or
 * JSON in `expires_after`, as other clients do.
 * @throws ApiError 400 if both are given, or the JSON cannot be parsed
 */
export function fileFields(fields: ReadonlyMap<string, string>): Record<string, unknown> {
  const entries = [...fields].map(([name, value]) => ({ name, key: /^expires_after\[(.*)\]$/.exec(name)?.[1], value }));
  const inside = entries.flatMap(({ key, value }) => (key === undefined ? [] : [[key, value] as const]));
  const { expires_after: json = "", ...others } = Object.fromEntries(
    entries.flatMap(({ name, key, value }) => (key === undefined ? [[name, value] as const] : [])),
  );
  if (json !== "" && inside.length > 0)
    throw invalid("expires_after", "given both as JSON and with brackets; keep one of them");
  if (json !== "") return { ...others, expires_after: parseJson(json, "expires_after") };
  return { ...others, ...(inside.length > 0 && { expires_after: Object.fromEntries(inside) }) };
}

export const fileFormBody = fileForm;

export const listFilesQuery = z.object({
  purpose: z
    .string()
    .max(64, "at most 64 characters")
    .regex(/^[^\0]*$/, "must not contain U+0000")
    .optional(),
  limit: queryInteger(1, 10_000, 10_000),
  order: z.enum(["asc", "desc"]).default("desc"),
  after: z.string().min(1, "must not be empty").max(1000, "at most 1000 characters").optional(),
});

export const fileAnswer = z
  .object({
    id: z.string(),
    object: z.literal("file"),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int().optional(),
    filename: z.string(),
    purpose: z.string(),
    status: z.literal("processed").describe("deprecated by OpenAI, but its clients require it"),
  })
  .meta({ id: "File" });

export const deletedFileAnswer = z
  .object({ id: z.string(), object: z.literal("file"), deleted: z.literal(true) })
  .meta({ id: "DeletedFile" });

export function presentFile(file: StoredFile): z.input<typeof fileAnswer> {
  return {
    id: file.id,
    object: "file",
    bytes: file.bytes,
    created_at: seconds(file.createdAt),
    ...(file.expiresAt === null ? {} : { expires_at: seconds(file.expiresAt) }),
    filename: file.filename,
    purpose: file.purpose,
    status: "processed",
  };
}

export const createUploadBody = z
  .object({
    filename: z.string().min(1, "must not be empty").max(255, "at most 255 characters"),
    purpose,
    bytes: z.int().min(0, "must be at least 0"),
    mime_type: z.string().max(255, "at most 255 characters"),
    expires_after: optional(expiresAfter),
  })
  .meta({ id: "CreateUploadRequest" });

export const completeUploadBody = z
  .object({
    part_ids: z.array(z.string()).min(1, "must not be empty").max(10_000, "at most 10000 parts"),
    md5: optional(z.string().regex(/^[0-9a-f]{32}$/i, "expected 32 hexadecimal digits")),
  })
  .meta({ id: "CompleteUploadRequest" });

export const uploadAnswer = z
  .object({
    id: z.string(),
    object: z.literal("upload"),
    bytes: z.int(),
    created_at: z.int(),
    expires_at: z.int(),
    filename: z.string(),
    purpose: z.string(),
    status: z.enum(["pending", "completed", "cancelled", "expired"]),
    file: fileAnswer.nullable(),
  })
  .meta({ id: "Upload" });

export const uploadPartAnswer = z
  .object({ id: z.string(), object: z.literal("upload.part"), created_at: z.int(), upload_id: z.string() })
  .meta({ id: "UploadPart" });

export function presentUpload(upload: Upload, file: StoredFile | null): z.input<typeof uploadAnswer> {
  return {
    id: upload.id,
    object: "upload",
    bytes: upload.bytes,
    created_at: seconds(upload.createdAt),
    expires_at: seconds(upload.expiresAt),
    filename: upload.filename,
    purpose: upload.purpose,
    status: upload.status,
    file: file === null ? null : presentFile(file),
  };
}

export const presentPart = (part: UploadPart): z.input<typeof uploadPartAnswer> => ({
  id: part.id,
  object: "upload.part",
  created_at: seconds(part.createdAt),
  upload_id: part.uploadId,
});
