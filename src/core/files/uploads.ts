import { createHash } from "node:crypto";
import { findFiles, insertFile } from "../../db/tables/files.js";
import {
  deletePart,
  deleteParts,
  endUpload,
  findUpload,
  insertPart,
  insertUpload,
  listEndedWithParts,
  listExpiredUploads,
  listParts,
} from "../../db/tables/uploads.js";
import { ApiError, invalid, notFound } from "../../words/errors.js";
import { newId } from "../../words/ids.js";
import { type Caller, ownerOf, scopeOf } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import * as files from "./files.js";
import type { StoredFile, Upload, UploadPart } from "../../words/file.js";
import type { Written } from "../../storage/storage.js";

/** OpenAI's Uploads; imported as `uploads`. */

/** OpenAI's limit: an upload that is not completed within an hour expires. */
const lifeMs = 3_600_000;

export interface UploadInput {
  filename: string;
  purpose: string;
  bytes: number;
  mimeType: string;
  fileExpiresAfter: number | null;
}

/** @throws ApiError 400 if the announced size exceeds MAX_FILE_MB */
export async function create(deps: Deps, caller: Caller, input: UploadInput): Promise<Upload> {
  const { maxBytes } = deps.config.files;
  if (input.bytes > maxBytes) throw invalid("bytes", `at most ${maxBytes} bytes (MAX_FILE_MB), got ${input.bytes}`);
  await deps.limiter.requireBytes(ownerOf(caller), input.bytes);
  const createdAt = deps.now();
  const id = newId("upload_", createdAt);
  const upload: Upload = { ...input, id, status: "pending", createdAt, expiresAt: createdAt + lifeMs, fileId: null };
  await insertUpload(deps.db, upload, ownerOf(caller));
  return upload;
}

/** @throws ApiError 404; 400 if it is no longer pending */
async function requirePending(deps: Deps, caller: Caller, id: string): Promise<Upload> {
  const upload = (await findUpload(deps.db, scopeOf(caller, "admin"), id)) ?? throwUnknownUpload(id);
  const status = upload.status === "pending" && upload.expiresAt <= deps.now() ? "expired" : upload.status;
  if (status !== "pending") throw notPending(id, status);
  return upload;
}

function throwUnknownUpload(id: string): never {
  throw notFound("upload", id.slice(0, 100), "upload_id");
}

const notPending = (id: string, status: Upload["status"]) =>
  new ApiError(400, `The upload '${id}' is ${status}.`, { param: "upload_id", code: `upload_${status}` });

/**
 * Adds a part to an upload. Parts may arrive at the same time and in any order.
 * @param receive reads the part; called only if the upload is pending
 * @throws ApiError as `requirePending`, also if the upload ended while the part arrived; 403 `limit_reached`
 */
export async function addPart(
  deps: Deps,
  caller: Caller,
  uploadId: string,
  receive: () => Promise<files.KeptBytes>,
): Promise<UploadPart> {
  await requirePending(deps, caller, uploadId);
  // One that has no room left is refused before its bytes arrive.
  await deps.limiter.requireBytes(ownerOf(caller), 1);
  const kept = await receive();
  const { content, inDirectory, bytes } = kept.written;
  const createdAt = deps.now();
  const part = { id: newId("part_", createdAt), uploadId, content, inDirectory, bytes, createdAt };
  try {
    await deps.limiter.requireBytes(ownerOf(caller), bytes);
    if (!(await insertPart(deps.db, scopeOf(caller, "admin"), part))) throw notPending(uploadId, "completed");
    return part;
  } catch (error) {
    await files.drop(deps, kept);
    throw error;
  }
}

/**
 * Makes a file of the parts, in the order of `partIds`. A sender that has lost the answer may ask again: a completed
 * upload answers with its file. Its parts are gone by then, so only a checksum is compared.
 * @param md5 of the whole file, in hexadecimal, if the sender gave it
 * @throws ApiError 404; 400 for unknown or repeated parts, if size or checksum differ from what was announced, or if
 * the upload has ended without a file that still exists; 500 `file_damaged` if the storage lacks bytes of a part
 */
export async function complete(
  deps: Deps,
  caller: Caller,
  id: string,
  partIds: readonly string[],
  md5: string | null,
): Promise<Completed> {
  const before = await findCompleted(deps, caller, id, md5);
  if (before !== null) return before;
  try {
    return await join(deps, caller, await requirePending(deps, caller, id), partIds, md5);
  } catch (error) {
    // Another request may have completed it meanwhile, and removed the parts that this one was reading.
    const meanwhile = await findCompleted(deps, caller, id, md5);
    if (meanwhile === null) throw error;
    return meanwhile;
  }
}

interface Completed {
  upload: Upload;
  file: StoredFile;
}

/** What completing an upload has made; null: it is not completed, or its file is gone. @throws ApiError 400 `md5` */
async function findCompleted(deps: Deps, caller: Caller, id: string, md5: string | null): Promise<Completed | null> {
  const upload = await findUpload(deps.db, scopeOf(caller, "admin"), id);
  if (upload?.status !== "completed" || upload.fileId === null) return null;
  const [file] = await findFiles(deps.db, scopeOf(caller, "admin"), [upload.fileId], deps.now());
  if (file === undefined) return null;
  if (md5 !== null) {
    const hash = createHash("md5");
    for await (const slice of files.orDamaged(deps.storage.read(file))) hash.update(slice);
    requireSum(hash.digest("hex"), md5);
  }
  return { upload, file };
}

function requireSum(found: string, wanted: string): void {
  if (found !== wanted.toLowerCase()) throw invalid("md5", "the parts, in this order, have another MD5 checksum");
}

async function join(
  deps: Deps,
  caller: Caller,
  upload: Upload,
  partIds: readonly string[],
  md5: string | null,
): Promise<Completed> {
  const { id } = upload;
  const parts = chosenParts(await listParts(deps.db, id), partIds);
  const size = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (size !== upload.bytes) {
    throw invalid("part_ids", `the parts have ${size} bytes, and the upload was announced with ${upload.bytes}`);
  }
  // The parts are counted already.
  await deps.limiter.requireBytes(ownerOf(caller), 0);
  const md5Hash = createHash("md5");
  const bytes = async function* () {
    for (const part of parts) {
      for await (const slice of files.orDamaged(deps.storage.read(part))) {
        md5Hash.update(slice);
        yield slice;
      }
    }
  };
  // The only part has the file's bytes, which need not be stored twice.
  const [only] = parts.length === 1 ? parts : [];
  const written = only === undefined ? await deps.storage.write(bytes()) : await hashed(only, bytes());
  let file: StoredFile;
  try {
    if (md5 !== null) requireSum(md5Hash.digest("hex"), md5);
    const createdAt = deps.now();
    const { filename, purpose, fileExpiresAfter: life } = upload;
    const expiresAt = life === null ? null : files.expiryOf(createdAt, life);
    file = { id: newId("file-", createdAt), filename, purpose, createdAt, expiresAt, ...written };
    const end = { status: "completed", fileId: file.id } as const;
    await deps.db.transaction(async (tx) => {
      if (!(await endUpload(tx, scopeOf(caller, "admin"), id, end))) throw notPending(id, "completed");
      if (only !== undefined) await deletePart(tx, only.id);
      await insertFile(tx, file, ownerOf(caller));
    });
  } catch (error) {
    if (only === undefined) await deps.storage.remove(written).catch(() => undefined);
    throw error;
  }
  // The file has its bytes now: a failure from here on must not remove them.
  await removePartsOrLater(deps, id);
  return { upload: { ...upload, status: "completed", fileId: file.id }, file };
}

async function hashed({ content, inDirectory }: UploadPart, slices: AsyncIterable<Buffer>): Promise<Written> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const slice of slices) {
    hash.update(slice);
    bytes += slice.length;
  }
  return { content, inDirectory, bytes, contentHash: hash.digest() };
}

function chosenParts(all: readonly UploadPart[], partIds: readonly string[]): UploadPart[] {
  const known = new Map(all.map((part) => [part.id, part]));
  return partIds.map((partId, i) => {
    const part = known.get(partId);
    known.delete(partId);
    return part ?? unknownPart(i, partIds.indexOf(partId) < i);
  });
}

function unknownPart(i: number, repeated: boolean): never {
  throw invalid(`part_ids[${i}]`, repeated ? "given twice" : "no part of this upload");
}

/** Ends a pending upload and removes its parts. @throws ApiError as `requirePending` */
export async function cancel(deps: Deps, caller: Caller, id: string): Promise<Upload> {
  const upload = await requirePending(deps, caller, id);
  if (!(await endUpload(deps.db, scopeOf(caller, "admin"), id, { status: "cancelled", fileId: null })))
    throw notPending(id, "completed");
  await removePartsOrLater(deps, id);
  return { ...upload, status: "cancelled" };
}

/** Ends uploads that expired while pending, and removes the parts of all that have ended. @returns how many expired */
export async function sweepUploads(deps: Deps): Promise<number> {
  for (const id of await listEndedWithParts(deps.db)) await removeParts(deps, id);
  let swept = 0;
  for (;;) {
    const ids = await listExpiredUploads(deps.db, deps.now(), 100);
    for (const id of ids) {
      if (await endUpload(deps.db, { kind: "all" }, id, { status: "expired", fileId: null })) swept += 1;
      await removeParts(deps, id);
    }
    if (ids.length < 100) return swept;
  }
}

/** Bytes first: after a failure, the list of parts still tells the sweep which bytes to remove. */
async function removeParts(deps: Deps, uploadId: string): Promise<void> {
  for (const part of await listParts(deps.db, uploadId)) await deps.storage.remove(part);
  await deleteParts(deps.db, uploadId);
}

/** Removes the parts of an upload that has ended. If that fails, it has ended all the same: the sweep tries again. */
const removePartsOrLater = (deps: Deps, uploadId: string): Promise<void> =>
  removeParts(deps, uploadId).catch((error: unknown) => {
    deps.log.warn({ err: error, upload: uploadId }, "parts of an upload are left; the sweep will remove them");
  });
