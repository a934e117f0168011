import { answered, api } from "../client.js";
import { Failure, isRecord } from "../failure.js";
import { persist, sendForm } from "./send.js";

/** Larger files are sent in parts, so that a lost connection costs only one of them. */
const wholeBytes = 32 * 1024 * 1024;
const partBytes = 16 * 1024 * 1024;

/** A file on its way to the service, with what has arrived so far. */
export interface Transfer {
  readonly blob: File;
  uploadId: string | null;
  partIds: string[];
  /** Once all of it has arrived. */
  fileId: string | null;
}

export interface Watch {
  signal: AbortSignal;
  sent: (bytes: number) => void;
  pausing: (why: Failure) => void;
}

/** Sends what is missing of a file, and gives its id. */
export async function transfer(of: Transfer, watch: Watch): Promise<string> {
  of.fileId ??= of.blob.size > wholeBytes ? await inParts(of, watch) : await whole(of, watch);
  return of.fileId;
}

function whole({ blob }: Transfer, watch: Watch): Promise<string> {
  return persist(async () => {
    watch.sent(0);
    const form = new FormData();
    form.set("purpose", "assistants");
    form.set("file", blob);
    return idIn(await sendForm("/v1/files", form, watch));
  }, watch);
}

async function inParts(of: Transfer, watch: Watch): Promise<string> {
  try {
    return await missingParts(of, watch);
  } catch (error) {
    // An upload that nothing has completed within an hour is gone, and with it its parts.
    const isGone = error instanceof Failure && (error.status === 404 || error.code === "upload_expired");
    if (!isGone || of.uploadId === null) throw error;
    of.uploadId = null;
    of.partIds = [];
    return missingParts(of, watch);
  }
}

async function missingParts(of: Transfer, watch: Watch): Promise<string> {
  const { blob } = of;
  const { signal } = watch;
  const uploadId = (of.uploadId ??= await persist(async () => {
    const body = {
      filename: blob.name,
      purpose: "assistants",
      bytes: blob.size,
      mime_type: blob.type || "application/octet-stream",
    } as const;
    return (await answered(api.POST("/v1/uploads", { body, signal }))).id;
  }, watch));
  while (of.partIds.length * partBytes < blob.size) {
    const start = of.partIds.length * partBytes;
    const sent = (bytes: number) => {
      watch.sent(Math.min(start + bytes, start + partBytes, blob.size));
    };
    const part = await persist(async () => {
      sent(0);
      const form = new FormData();
      form.set("data", blob.slice(start, start + partBytes), "part");
      return idIn(await sendForm(`/v1/uploads/${uploadId}/parts`, form, { signal, sent }));
    }, watch);
    of.partIds.push(part);
  }
  watch.sent(blob.size);
  return persist(async () => {
    const params = { path: { upload_id: uploadId } };
    const body = { part_ids: of.partIds };
    const { file } = await answered(api.POST("/v1/uploads/{upload_id}/complete", { params, body, signal }));
    if (file === null) throw new Error("a completed upload has no file");
    return file.id;
  }, watch);
}

/** Lets the service forget what has arrived. What this fails to say, the service itself forgets within an hour. */
export async function forget({ uploadId, fileId }: Transfer): Promise<void> {
  if (fileId !== null) await api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: fileId } } });
  else if (uploadId !== null)
    await api.POST("/v1/uploads/{upload_id}/cancel", { params: { path: { upload_id: uploadId } } });
}

function idIn(answer: unknown): string {
  if (isRecord(answer) && typeof answer.id === "string") return answer.id;
  throw new Error("the service has answered without an id");
}
