import { useMemo, useSyncExternalStore } from "react";
import { answered, api } from "../client.js";
import { Failure } from "../failure.js";
import { type StoreFile, attachFile } from "../storeFiles.js";
import { isPassing, pause, persist } from "./send.js";
import { onStop } from "./stop.js";
import { type Transfer, forget, transfer } from "./transfer.js";

/**
 * The files that are being uploaded. They belong to no page, so that they go on while another one is shown; what was
 * not sent when the window is closed is lost.
 */

type UploadState = "queued" | "sending" | "waiting" | "reading" | "completed" | "failed" | "cancelled";

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
}

const atOnce = 3;
const jobs = new Map<number, Job>();
const listeners = new Set<() => void>();
let shown: readonly Upload[] = [];
let busy = 0;
let last = 0;
let watching = false;

function change(job: Job, what: Partial<Upload>): void {
  if (!jobs.has(job.upload.id)) return;
  job.upload = { ...job.upload, ...what };
  publish();
}

function publish(): void {
  shown = [...jobs.values()].map(({ upload }) => upload);
  // The browser asks before it closes the window, whichever page it shows.
  if (shown.some(isUnsent)) window.addEventListener("beforeunload", askFirst);
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
    jobs.set(id, { upload, blob, uploadId: null, partIds: [], fileId: null, stop: new AbortController() });
  }
  publish();
  start();
}

/** Goes on where an upload has failed: what has arrived is not sent again. */
export function retryUpload(id: number): void {
  const job = jobs.get(id);
  if (job === undefined || !(job.upload.state === "failed" || job.upload.state === "cancelled")) return;
  job.stop = new AbortController();
  change(job, { state: "queued", error: null, file: null });
  start();
}

/** Stops an upload, and lets the service forget what has arrived of it. */
export function cancelUpload(id: number): void {
  const job = jobs.get(id);
  if (job === undefined || job.upload.state === "completed") return;
  job.stop.abort();
  change(job, { state: "cancelled", error: null });
  const arrived = { ...job };
  Object.assign(job, { uploadId: null, partIds: [], fileId: null });
  void forget(arrived).catch(() => undefined);
}

/** Takes those that have ended off the list. */
export function clearUploads(storeId: string): void {
  for (const [id, { upload }] of jobs) {
    if (upload.storeId === storeId && ["completed", "failed", "cancelled"].includes(upload.state)) jobs.delete(id);
  }
  publish();
}

onStop(() => {
  for (const { stop } of jobs.values()) stop.abort();
  jobs.clear();
  publish();
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
  const sent = (bytes: number) => {
    still({ state: "sending", sent: Math.min(bytes, job.upload.size), error: null });
  };
  try {
    const fileId = await transfer(job, { signal, sent, pausing });
    still({ sent: job.upload.size });
    const file = await persist(() => attachFile(job.upload.storeId, fileId, signal), { signal, pausing });
    still(after(file));
    void watch();
  } catch (error) {
    still({ state: "failed", error: error as Error });
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

/** Asks how far the service is with what it reads, the oldest first: it reads them in this order. */
async function watch(): Promise<void> {
  if (watching) return;
  watching = true;
  for (;;) {
    const reading = [...jobs.values()].filter(({ upload }) => upload.state === "reading").slice(0, 8);
    if (reading.length === 0) break;
    await Promise.all(reading.map(look));
    await pause(1000, new AbortController().signal);
  }
  watching = false;
}

async function look(job: Job): Promise<void> {
  const { signal } = job.stop;
  const { storeId, file } = job.upload;
  if (file === null) return;
  try {
    const path = { vector_store_id: storeId, file_id: file.id };
    const now = await answered(
      api.GET("/v1/vector_stores/{vector_store_id}/files/{file_id}", { params: { path }, signal }),
    );
    if (!signal.aborted) change(job, after(now));
  } catch (error) {
    if (signal.aborted || isPassing(error)) return;
    change(job, { state: "failed", error: error as Error });
  }
}
