import { answered, api } from "../client.js";
import { Failure, brokenAnswer, isRecord } from "../failure.js";
import { persist } from "./persist.js";
import { sendForm, within } from "./send.js";
import { uploadAs } from "./session.js";

/**
 * Every file is sent in parts, small ones in a single one: a lost connection costs one part, and a request that is
 * repeated because its answer was lost stores nothing twice.
 */
const partBytes = 8 * 1024 * 1024;

/** How long the service may take for a request without bytes. */
const briefMs = 60_000;
/** It joins all parts of a file, which may have gigabytes. */
const joinMs = 600_000;

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
  /** How many bytes have left; less than before if parts must be sent again. */
  sent: (bytes: number) => void;
  /** What had arrived is lost. */
  restarted: () => void;
  pausing: (why: Failure) => void;
}

/** Sends what is missing of a file, and gives its id. */
export async function transfer(of: Transfer, watch: Watch): Promise<string> {
  of.fileId ??= await missingParts(of, watch).catch(async (error: unknown) => {
    // An upload that nothing has completed within an hour is gone, and with it its parts.
    const isGone = error instanceof Failure && (error.status === 404 || error.code === "upload_expired");
    if (!isGone || of.uploadId === null) throw error;
    await requireSender(watch.signal);
    of.uploadId = null;
    of.partIds = [];
    watch.restarted();
    return missingParts(of, watch);
  });
  return of.fileId;
}

/** For somebody else, who has signed in in another tab, the upload is not there either: nothing of it goes on then. */
export async function requireSender(signal: AbortSignal): Promise<void> {
  uploadAs((await answered(api.GET("/v1/me", { signal }))).name);
  signal.throwIfAborted();
}

async function missingParts(of: Transfer, watch: Watch): Promise<string> {
  const { blob } = of;
  const uploadId = (of.uploadId ??= await begin(blob, watch));
  // An empty file has one part, too.
  const parts = Math.max(1, Math.ceil(blob.size / partBytes));
  while (of.partIds.length < parts) of.partIds.push(await sendPart(blob, uploadId, of.partIds.length, watch));
  watch.sent(blob.size);
  return persist(() => complete(uploadId, of.partIds, watch.signal), watch);
}

const begin = (blob: File, watch: Watch): Promise<string> =>
  persist(async () => {
    const body = {
      filename: blob.name,
      purpose: "assistants",
      bytes: blob.size,
      mime_type: blob.type || "application/octet-stream",
    } as const;
    const begun = await within(briefMs, watch.signal, (signal) => answered(api.POST("/v1/uploads", { body, signal })));
    return begun.id;
  }, watch);

function sendPart(blob: File, uploadId: string, index: number, watch: Watch): Promise<string> {
  const start = index * partBytes;
  const part = blob.slice(start, start + partBytes);
  const sent = (bytes: number) => {
    // A form is a little longer than what it holds.
    watch.sent(start + Math.min(bytes, part.size));
  };
  return persist(async () => {
    sent(0);
    const form = new FormData();
    form.set("data", part, "part");
    try {
      const answer = await sendForm(`/v1/uploads/${uploadId}/parts`, form, { signal: watch.signal, sent });
      if (isRecord(answer) && typeof answer.id === "string") return answer.id;
      throw brokenAnswer(null);
    } catch (error) {
      if (error instanceof Failure && error.status === 0) await requireReadable(part);
      throw error;
    }
  }, watch);
}

/** A file that was changed or removed since it was chosen looks like a lost connection. @throws Failure */
const requireReadable = (part: Blob): Promise<unknown> =>
  part
    .slice(0, 1)
    .arrayBuffer()
    .catch((error: unknown) => {
      throw new Failure(String(error), 0, "unreadable_file", null, null, null);
    });

async function complete(uploadId: string, partIds: string[], signal: AbortSignal): Promise<string> {
  const call = { params: { path: { upload_id: uploadId } }, body: { part_ids: partIds } };
  const { file } = await within(joinMs, signal, (limited) =>
    answered(api.POST("/v1/uploads/{upload_id}/complete", { ...call, signal: limited })),
  );
  if (file === null) throw brokenAnswer(null);
  return file.id;
}

/** Lets the service forget what has arrived. What this fails to say, the service itself forgets within an hour. */
export async function forget({ uploadId, partIds, fileId }: Transfer): Promise<void> {
  const watch = { signal: new AbortController().signal, pausing: () => undefined };
  try {
    if (fileId !== null) await persist(() => deleteFile(fileId), watch);
    else if (uploadId !== null) await persist(() => cancel(uploadId, partIds), watch);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}

const deleteFile = (id: string): Promise<unknown> =>
  answered(api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: id } } }));

async function cancel(uploadId: string, partIds: string[]): Promise<unknown> {
  try {
    return await answered(api.POST("/v1/uploads/{upload_id}/cancel", { params: { path: { upload_id: uploadId } } }));
  } catch (error) {
    // It was completed before its cancellation arrived. Completing it again says which file it has become.
    if (!(error instanceof Failure && error.code === "upload_completed")) throw error;
    return deleteFile(await complete(uploadId, partIds, new AbortController().signal));
  }
}
