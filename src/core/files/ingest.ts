import type { Db } from "../../db/database.js";
import { findFiles } from "../../db/tables/files.js";
import {
  endLeases,
  giveBack,
  isHeld,
  lockLeased,
  recordProgress,
  renewLease,
  takeNext,
} from "../../db/tables/ingestQueue.js";
import { listLeft } from "../../db/tables/leftChunks.js";
import { findCompleted } from "../../db/tables/storeFiles.js";
import { lockStore } from "../../db/tables/stores.js";
import { EngineError } from "../../engines/engine.js";
import { SpanKind, inSpan } from "../../process/tracing.js";
import { DamagedBytes } from "../../storage/storage.js";
import { ownWork } from "../../words/caller.js";
import { DocumentError } from "../../words/document.js";
import { ApiError } from "../../words/errors.js";
import type { LastError, StoreFile, StoreFileKey } from "../../words/file.js";
import type { VectorStore } from "../../words/store.js";
import type { Deps } from "../deps.js";
import { embedderOf } from "../stores/model.js";
import {
  type Part,
  changeStore,
  completeFile,
  detachFiles,
  dropChunks,
  endWithoutChunks,
  hideFile,
  isLarge,
  nothing,
  together,
} from "./changes.js";
import { describer } from "./describe.js";
import { portions, writeChunks } from "./fileChunks.js";
import { removeLeft } from "./leaving.js";
import { spool } from "./spool.js";

/**
 * Raise this when the same document would give other chunks than before: files that another version left unfinished
 * then start again.
 */
const madeBy = 1;

const leaseSeconds = 60;
/** How soon a worker notices that its file was cancelled, detached or deleted. */
const checkEveryMs = 1_000;
const checksPerRenewal = 15;
/** A file that failed this many attempts, for example by crashing the process, is not tried again. */
const mostAttempts = 5;
/** How long a file waits after an outage before it is tried again. */
const outageSeconds = 15;

const all = { kind: "all" } as const;

/**
 * The file no longer belongs to this worker: it was detached or cancelled, or another process took it over because this
 * one seemed dead. They have cleaned up already.
 */
class LeaseLost extends Error {}

/** Ingestion of the file failed too often. */
class Exhausted extends Error {}

/** How the work on a file ended; null: another process decides that. */
type Outcome = "completed" | "failed" | "postponed" | null;

/**
 * For startup: on the embedded database no other process can be alive, so interrupted files need not wait for their
 * leases to end.
 */
export async function takeUpInterrupted(deps: Deps): Promise<void> {
  if (deps.db.kind === "pglite") await endLeases(deps.db);
}

/**
 * Takes the next file from the queue and finishes it: either searches find its chunks, or it has failed and says why.
 * After a crash the next worker continues after the last stored chunk, so at most one model call is paid for twice.
 * @param lease names this worker; must be unique among running workers
 * @returns false when there was nothing to do
 */
export async function ingestNext(deps: Deps, lease: string, stopping: AbortSignal): Promise<boolean> {
  const key = await takeNext(deps.db, lease, leaseSeconds);
  if (key === undefined) return false;
  const control = new AbortController();
  const stop = () => {
    control.abort(stopping.reason);
  };
  stopping.addEventListener("abort", stop);
  let checks = 0;
  const heartbeat = setInterval(() => {
    checks += 1;
    const held =
      checks % checksPerRenewal === 0 ? renewLease(deps.db, key, lease, leaseSeconds) : isHeld(deps.db, key, lease);
    // If the database is unreachable for a moment, this worker keeps the file.
    held.then(
      (ours) => {
        if (!ours) control.abort(new LeaseLost());
      },
      () => undefined,
    );
  }, checkEveryMs);
  const timed = deps.metrics.ingestDuration.startTimer();
  const leased: Leased = { deps, key, lease };
  let outcome: Outcome;
  try {
    await inSpan("ingest file", { kind: SpanKind.INTERNAL, root: true }, () => ingest(leased, control.signal));
    outcome = "completed";
  } catch (error) {
    outcome = await endBadly(leased, control.signal.aborted ? control.signal.reason : error, stopping.aborted);
  } finally {
    clearInterval(heartbeat);
    stopping.removeEventListener("abort", stop);
  }
  timed();
  if (outcome !== null) deps.metrics.ingestedFiles.inc({ outcome });
  return true;
}

/** A file that this worker holds. */
interface Leased {
  deps: Deps;
  key: StoreFileKey;
  lease: string;
}

interface Held {
  store: VectorStore;
  file: StoreFile;
}

async function ingest(leased: Leased, signal: AbortSignal): Promise<void> {
  const { deps, key } = leased;
  const begun = await begin(leased);
  if (begun === null) return;
  const { file, store } = begun;
  const [stored] = await findFiles(deps.db, all, [key.fileId], deps.now());
  if (stored === undefined) {
    // It was deleted while it was being attached: as OpenAI says, a deleted file leaves every store.
    await change(leased, "correction", (tx, held) => detachFiles(tx, [held.file]));
    throw new LeaseLost();
  }
  const { path, remove } = await spool(deps, stored, signal);
  const asking = { caller: ownWork, signal };
  try {
    const embedder = embedderOf(deps, store);
    const chunks = deps.documents.read(
      { path, size: stored.bytes, name: stored.filename },
      {
        cutting: file.settings.cutting,
        pdfVision: deps.config.files.pdfVision,
        describe: describer(deps, file, asking),
        signal,
      },
    );
    let count = 0;
    for await (const portion of portions(chunks, deps.config.embedding.batchSize)) {
      count = (portion.at(-1)?.number ?? 0) + 1;
      const missing = portion.filter((each) => each.number >= file.chunkCount);
      if (missing.length === 0) continue;
      const embeddings = await embedder.embed(
        missing.map((each) => each.text),
        asking,
      );
      signal.throwIfAborted();
      await change(leased, "ingestion", (_tx, held) => writeChunks(deps, held.file, missing, embeddings));
      deps.metrics.ingestedChunks.inc(missing.length);
    }
    if (count === 0) throw new DocumentError("invalid_file", "The document has no text that could be searched.");
    await change(leased, "correction", (tx, held) => complete(tx, held.file, count));
    deps.metrics.ingestedBytes.inc(stored.bytes);
  } finally {
    await remove();
  }
}

/**
 * Makes a change, if this worker still holds the file. The store is locked before the file, as everywhere.
 * @throws LeaseLost
 */
function change(
  { deps, key, lease }: Leased,
  as: "ingestion" | "correction",
  plan: (tx: Db, held: Held) => Promise<Part> | Part,
): Promise<void> {
  const hold = async (tx: Db): Promise<Held> => {
    const store = await lockStore(tx, all, key.vectorStoreId);
    const file = await lockLeased(tx, key, lease);
    if (store === undefined || file === undefined) throw new LeaseLost();
    return { store, file };
  };
  return changeStore(deps, as, hold, plan);
}

/** @returns null if the file is already complete, because another one has the same content. */
async function begin(leased: Leased): Promise<Held | null> {
  const state: { begun: Held | null; isLeaving: boolean } = { begun: null, isLeaving: false };
  // The file's former chunks are hidden under its id: they must be gone before the new ones are shown.
  await removeLeft(leased.deps, leased.key);
  await change(leased, "correction", async (tx, { store, file }) => {
    if (file.attempts > mostAttempts) throw new Exhausted();
    const same = await findCompleted(tx, file);
    if (same !== undefined) return endWithoutChunks(file, { status: "completed", sameAs: same.fileId });
    const isOther = file.chunkCount > 0 && file.madeBy !== madeBy;
    state.isLeaving = (isOther && isLarge(file)) || (await listLeft(tx, file, 1)).length > 0;
    if (state.isLeaving) return isOther ? dropChunks(file) : nothing;
    state.begun = { store, file: { ...file, chunkCount: isOther ? 0 : file.chunkCount } };
    return together([
      isOther ? dropChunks(file) : nothing,
      hideFile(file),
      { steps: [], book: (booking) => recordProgress(booking, file, { stage: "parsing", madeBy }) },
    ]);
  });
  return state.isLeaving ? begin(leased) : state.begun;
}

async function complete(tx: Db, file: StoreFile, count: number): Promise<Part> {
  const same = await findCompleted(tx, file);
  return same === undefined
    ? completeFile(tx, file, count)
    : endWithoutChunks(file, { status: "completed", sameAs: same.fileId });
}

async function endBadly(leased: Leased, error: unknown, stopping: boolean): Promise<Outcome> {
  if (error instanceof LeaseLost) return null;
  const { deps, key, lease } = leased;
  try {
    if (stopping) {
      await giveBack(deps.db, key, lease, { afterSeconds: 0, attempted: false, why: null });
      return "postponed";
    }
    const failure = failureOf(error);
    if (failure === "wait" || failure === "again") {
      const about = { file: key.fileId, vectorStore: key.vectorStoreId };
      if (failure === "wait") deps.log.warn({ ...about, reason: (error as Error).message }, "ingestion waits");
      else deps.log.error({ ...about, err: error }, "ingestion failed; it will be tried again");
      // Unforeseen errors go to the log only.
      const why = error instanceof ApiError ? error.message : null;
      await giveBack(deps.db, key, lease, { afterSeconds: outageSeconds, attempted: failure === "again", why });
      return "postponed";
    }
    await change(leased, "correction", (_tx, { file }) => endWithoutChunks(file, { status: "failed", error: failure }));
    return "failed";
  } catch (again) {
    // Nothing more to do: the lease ends by itself.
    if (!(again instanceof LeaseLost))
      deps.log.error({ err: again, file: key.fileId }, "the end of an ingestion could not be recorded");
    return null;
  }
}

/**
 * What an error means for the file: the error that ends it; `wait`: an outage, not the file's fault; `again`:
 * unforeseen, so it is tried a few more times.
 */
function failureOf(error: unknown): LastError | "wait" | "again" {
  if (error instanceof DocumentError) return { code: error.code, message: error.message };
  if (error instanceof DamagedBytes)
    return { code: "server_error", message: `${error.sentence} Delete the file and upload it again.` };
  if (error instanceof Exhausted) {
    return {
      code: "server_error",
      message: `Reading the file failed ${mostAttempts} times. The server's log says why.`,
    };
  }
  if (!(error instanceof ApiError) || (error instanceof EngineError && error.kind === "gone")) return "again";
  if (error.status === 429 || error.status >= 500) return "wait";
  return { code: "server_error", message: error.message };
}
