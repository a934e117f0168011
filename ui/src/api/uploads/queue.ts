import { useMemo, useSyncExternalStore } from "react";
import { Failure, isUnknownFile } from "../failure.js";
import { endIn } from "../sessionEnd.js";
import { type StoreFile, attachFile } from "../storeFiles.js";
import { persist } from "./persist.js";
import { within } from "./send.js";
import { registerUploads, sessionEnded } from "./session.js";
import { type Transfer, forget, requireSender, transfer } from "./transfer.js";

/**
 * The files that are being uploaded. They belong to no page, so that they go on while another one is shown; what was
 * not sent when the window is closed is lost.
 */

type UploadState =
  | "queued"
  | "sending"
  /** Tries again soon. */
  | "waiting"
  /** Until its sender signs in again. */
  | "paused"
  /** All is sent, and the service reads it. */
  | "reading"
  | "completed"
  | "failed"
  | "cancelled";

export interface Upload {
  readonly id: number;
  readonly storeId: string;
  readonly name: string;
  readonly size: number;
  readonly state: UploadState;
  readonly sent: number;
  /** Why it has failed, or waits. */
  readonly error: Error | null;
  /** Once it is attached. */
  readonly file: StoreFile | null;
}

interface Job extends Transfer {
  upload: Upload;
  stop: AbortController;
  /** What the lists of files have been told: that it is there, or that it has gone. */
  told: "added" | "gone" | null;
  /** The file that it had become, and that was deleted elsewhere, until the lists are told. */
  lost: string | null;
}

const atOnce = 3;
/** Attaching waits two seconds for a small file to be read. */
const attachMs = 60_000;
const jobs = new Map<number, Job>();
const listeners = new Set<() => void>();
let shown: readonly Upload[] = [];
let busy = 0;
let last = 0;

function change(job: Job, what: Partial<Upload>): void {
  if (!jobs.has(job.upload.id)) return;
  job.upload = { ...job.upload, ...what };
  publish();
}

function publish(): void {
  shown = [...jobs.values()].map(({ upload }) => upload);
  // The browser asks before it closes the window, whichever page it shows.
  if (shown.some((upload) => isUnsent(upload) || upload.state === "paused"))
    window.addEventListener("beforeunload", askFirst);
  else window.removeEventListener("beforeunload", askFirst);
  for (const listener of listeners) listener();
}

const askFirst = (event: BeforeUnloadEvent) => {
  event.preventDefault();
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The uploads to one vector store, in the order in which they were added. */
export function useUploads(storeId: string): readonly Upload[] {
  const all = useSyncExternalStore(subscribe, () => shown);
  return useMemo(() => all.filter((upload) => upload.storeId === storeId), [all, storeId]);
}

/** Whether it would be lost if the window was closed. */
export const isUnsent = ({ state }: Upload): boolean =>
  state === "queued" || state === "sending" || state === "waiting";

/** Whether anything of any vector store would be lost if the window was closed. */
export const useIsUploading = (): boolean => useSyncExternalStore(subscribe, () => shown.some(isUnsent));

export function addUploads(storeId: string, files: Iterable<File>): void {
  for (const blob of files) {
    const id = (last += 1);
    const { name, size } = blob;
    const upload: Upload = { id, storeId, name, size, state: "queued", sent: 0, error: null, file: null };
    jobs.set(id, { upload, blob, ...nothingArrived(), stop: new AbortController(), told: null, lost: null });
  }
  publish();
  start();
}

const nothingArrived = (): Omit<Transfer, "blob"> => ({ uploadId: null, partIds: [], fileId: null });

const again = (job: Job) => {
  job.stop = new AbortController();
  job.told = null;
  change(job, { state: "queued", error: null, file: null });
};

/** Goes on where an upload has failed: what has arrived is not sent again. */
export function retryUpload(id: number): void {
  const job = jobs.get(id);
  if (job === undefined || !(job.upload.state === "failed" || job.upload.state === "cancelled")) return;
  again(job);
  start();
}

export function retryFailed(storeId: string): void {
  for (const job of jobs.values()) if (job.upload.storeId === storeId && job.upload.state === "failed") again(job);
  start();
}

/** Stops an upload, and lets the service forget what has arrived of it. */
export function cancelUpload(id: number): void {
  const job = jobs.get(id);
  if (job === undefined || job.upload.state === "completed") return;
  job.stop.abort();
  change(job, { state: "cancelled", error: null });
  const arrived = { ...job };
  Object.assign(job, nothingArrived());
  change(job, { sent: 0 });
  void forget(arrived);
}

/** Takes those that have ended off the list. */
export function clearUploads(storeId: string): void {
  for (const [id, { upload }] of jobs) {
    if (upload.storeId === storeId && ["completed", "failed", "cancelled"].includes(upload.state)) jobs.delete(id);
  }
  publish();
}

registerUploads({
  stop: () => {
    for (const { stop } of jobs.values()) stop.abort();
    jobs.clear();
    publish();
  },
  pause: () => {
    let count = 0;
    for (const job of jobs.values()) {
      count += job.upload.state === "paused" || isUnsent(job.upload) ? 1 : 0;
      if (!isUnsent(job.upload)) continue;
      job.stop.abort();
      change(job, { state: "paused", error: null });
    }
    return count;
  },
  goOn: () => {
    for (const job of jobs.values()) if (job.upload.state === "paused") again(job);
    start();
  },
  unsent: () => [...jobs.values()].filter(({ upload }) => isUnsent(upload)).length,
});

function start(): void {
  for (const job of jobs.values()) {
    if (busy >= atOnce) return;
    if (job.upload.state !== "queued") continue;
    busy += 1;
    void work(job, job.stop.signal).finally(() => {
      busy -= 1;
      start();
    });
  }
}

async function work(job: Job, signal: AbortSignal): Promise<void> {
  const still = (what: Partial<Upload>) => {
    if (!signal.aborted) change(job, what);
  };
  still({ state: "sending", error: null });
  const pausing = (error: Failure) => {
    still({ state: "waiting", error });
  };
  // What must be sent again is not counted again.
  const sent = (bytes: number) => {
    still({ state: "sending", sent: Math.max(job.upload.sent, bytes), error: null });
  };
  const restarted = () => {
    still({ sent: 0 });
  };
  const sendAndAttach = async () => {
    const fileId = await transfer(job, { signal, sent, restarted, pausing });
    still({ sent: job.upload.size });
    const attach = () => within(attachMs, signal, (limited) => attachFile(job.upload.storeId, fileId, limited));
    return persist(attach, { signal, pausing });
  };
  const arrivedBefore = job.fileId !== null;
  try {
    const file = await sendAndAttach().catch(async (error: unknown) => {
      // It had arrived, and was deleted elsewhere before it was tried again.
      if (!arrivedBefore || !isUnknownFile(error)) throw error;
      await requireSender(signal);
      job.lost = job.fileId;
      Object.assign(job, nothingArrived());
      restarted();
      return sendAndAttach();
    });
    still(after(file));
  } catch (error) {
    const end = await endIn(error);
    if (signal.aborted) return;
    if (end !== null) sessionEnded(end);
    else still({ state: "failed", error: error as Error });
  }
}

function after(file: StoreFile): Partial<Upload> {
  if (file.status === "in_progress") return { state: "reading", file, error: null };
  const why = file.last_error?.message;
  return {
    state: file.status,
    file,
    error: why === undefined ? null : new Failure(why, 422, file.last_error?.code ?? null, null, null, null),
  };
}

/** The files of uploads that the service is reading. */
export const filesBeingRead = (storeId: string): StoreFile[] =>
  [...jobs.values()].flatMap(({ upload: { storeId: store, state, file } }) =>
    store === storeId && state === "reading" && file !== null ? [file] : [],
  );

/** Notes how far the service is with a file. @param file null: it is no longer in the vector store */
export function noteFile(storeId: string, id: string, file: StoreFile | null): void {
  for (const job of jobs.values()) {
    const { upload } = job;
    if (upload.storeId !== storeId || upload.state !== "reading" || upload.file?.id !== id) continue;
    change(job, file === null ? { state: "cancelled", error: null } : after(file));
  }
}

/** Files that uploads have added to a vector store, or taken out again, since this was asked before. */
export function takeNews(storeId: string): { added: StoreFile[]; gone: string[] } {
  const news: { added: StoreFile[]; gone: string[] } = { added: [], gone: [] };
  for (const job of jobs.values()) {
    const { storeId: store, state, file } = job.upload;
    if (store !== storeId) continue;
    if (job.lost !== null) news.gone.push(job.lost);
    job.lost = null;
    if (file === null) continue;
    const now = state === "cancelled" && file.status === "in_progress" ? "gone" : "added";
    if (job.told === now) continue;
    job.told = now;
    if (now === "gone") news.gone.push(file.id);
    else news.added.push(file);
  }
  return news;
}
