import { findFiles } from "../../db/tables/files.js";
import {
  endLeases,
  finishFile,
  giveBack,
  lockLeased,
  recordProgress,
  renewLease,
  takeNext,
} from "../../db/tables/ingestQueue.js";
import { type Key, type LastError, type StoreFile, findCompleted } from "../../db/tables/storeFiles.js";
import { type VectorStore, lockStore } from "../../db/tables/stores.js";
import { ownWork } from "../../words/caller.js";
import { DocumentError, type TextChunk } from "../../words/document.js";
import type { Db } from "../../db/connection/database.js";
import { ApiError } from "../../words/errors.js";
import { SpanKind, inSpan } from "../../process/tracing.js";
import type { Deps } from "../deps.js";
import { describer } from "./describe.js";
import { embedderOf } from "../stores/model.js";
import {
  type NumberedChunk,
  dropChunks,
  endWithoutChunks,
  hideFile,
  removeSameName,
  showFile,
  writeChunks,
} from "./fileChunks.js";
import { spool } from "./spool.js";

/** Raised when the same document would give other chunks than before: what another version left half-done begins anew. */
const madeBy = 1;

const leaseSeconds = 60;
const renewEveryMs = 15_000;
/** A file that ended so many processes is not tried again. */
const mostAttempts = 5;
/** Until a model that is away is asked again. */
const outageSeconds = 15;

const all = { kind: "all" } as const;

/** The file is no longer ours: detached, cancelled, or taken by another process after we seemed dead. Whoever did it has cleaned up. */
class LeaseLost extends Error {}

/** What became of the work on a file; null: somebody else decided that. */
type Outcome = "completed" | "failed" | "postponed" | null;

/** For startup: what a process that died was working on need not wait for its lease, where no other one can be alive. */
export async function takeUpInterrupted(deps: Deps): Promise<void> {
  if (deps.db.kind === "pglite") await endLeases(deps.db);
}

/**
 * Takes the next file of the queue and brings it to its end: its chunks are found by searches, or it has failed and says why. After a
 * crash the next one to take it goes on behind the last chunk that was stored, so at most one request to the model is paid for twice.
 * @param lease names this worker; no two may use the same at a time.
 * @returns false when there was nothing to do.
 */
export async function ingestNext(deps: Deps, lease: string, stopping: AbortSignal): Promise<boolean> {
  const key = await takeNext(deps.db, lease, leaseSeconds);
  if (key === undefined) return false;
  const control = new AbortController();
  const stop = () => {
    control.abort(stopping.reason);
  };
  stopping.addEventListener("abort", stop);
  const heartbeat = setInterval(() => {
    // A database that is away for a moment takes nothing from us yet.
    renewLease(deps.db, key, lease, leaseSeconds).then(
      (ours) => {
        if (!ours) control.abort(new LeaseLost());
      },
      () => undefined,
    );
  }, renewEveryMs);
  const timed = deps.metrics.ingestDuration.startTimer();
  let outcome: Outcome;
  try {
    await inSpan("ingest file", { kind: SpanKind.INTERNAL, root: true }, () =>
      ingest(deps, key, lease, control.signal),
    );
    outcome = "completed";
  } catch (error) {
    outcome = await endBadly(
      deps,
      key,
      lease,
      control.signal.aborted ? control.signal.reason : error,
      stopping.aborted,
    );
  } finally {
    clearInterval(heartbeat);
    stopping.removeEventListener("abort", stop);
  }
  timed();
  if (outcome !== null) deps.metrics.ingestedFiles.inc({ outcome });
  return true;
}

async function ingest(deps: Deps, key: Key, lease: string, signal: AbortSignal): Promise<void> {
  const begun = await leased(deps, key, lease, (tx, store, file) => begin(tx, store, file));
  if (begun === null) return;
  const { file, store } = begun;
  const [stored] = await findFiles(deps.db, all, [key.fileId], deps.now());
  if (stored === undefined) throw new DocumentError("invalid_file", "The file was deleted before it was read.");
  const { path, remove } = await spool(deps, stored, signal);
  try {
    const embedder = embedderOf(deps, store);
    const chunks = deps.documents.read(
      { path, size: stored.bytes, name: stored.filename },
      {
        cutting: file.settings.cutting,
        pdfVision: deps.config.files.pdfVision,
        describe: describer(deps, file, signal),
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
        { caller: ownWork, signal },
      );
      signal.throwIfAborted();
      await leased(deps, key, lease, (tx, current, now) => writeChunks(deps, tx, current, now, missing, embeddings));
      deps.metrics.ingestedChunks.inc(missing.length);
    }
    if (count === 0) throw new DocumentError("invalid_file", "The document holds no text that could be searched.");
    await leased(deps, key, lease, (tx, current, now) => complete(tx, current, now, count));
    deps.metrics.ingestedBytes.inc(stored.bytes);
  } finally {
    await remove();
  }
}

/** A transaction that holds the store and the file, in this order as everywhere. @throws LeaseLost */
async function leased<T>(
  deps: Deps,
  key: Key,
  lease: string,
  work: (tx: Db, store: VectorStore, file: StoreFile) => Promise<T>,
): Promise<T> {
  const result = await deps.db.transaction(async (tx) => {
    const store = await lockStore(tx, all, key.vectorStoreId);
    const file = await lockLeased(tx, key, lease);
    if (store === undefined || file === undefined) throw new LeaseLost();
    return work(tx, store, file);
  });
  deps.recentStores.delete(key.vectorStoreId);
  return result;
}

/** @returns null when the file is completed: another one has the same content. */
async function begin(tx: Db, store: VectorStore, file: StoreFile) {
  if (file.attempts > mostAttempts) throw new Exhausted();
  const same = await findCompleted(tx, file);
  if (same !== undefined) {
    await endWithoutChunks(tx, store, file, { status: "completed", sameAs: same.fileId });
    return null;
  }
  let { chunkCount } = file;
  if (chunkCount > 0 && file.madeBy !== madeBy) {
    await dropChunks(tx, store, file);
    chunkCount = 0;
  }
  await hideFile(tx, store, file.fileId);
  await recordProgress(tx, file, { stage: "parsing", madeBy });
  return { store, file: { ...file, chunkCount } };
}

class Exhausted extends Error {}

async function complete(tx: Db, store: VectorStore, file: StoreFile, count: number): Promise<void> {
  const same = await findCompleted(tx, file);
  if (same !== undefined) {
    await endWithoutChunks(tx, store, file, { status: "completed", sameAs: same.fileId });
    return;
  }
  if (file.replaces) await removeSameName(tx, store, file);
  await recordProgress(tx, file, { chunksTotal: count });
  await finishFile(tx, file, { status: "completed" });
  await showFile(tx, store, file.fileId);
}

/** Chunks in portions of at most `size`, each with its number from 0. */
async function* portions(chunks: AsyncIterable<TextChunk>, size: number): AsyncGenerator<NumberedChunk[]> {
  let portion: NumberedChunk[] = [];
  let number = 0;
  for await (const chunk of chunks) {
    portion.push({ ...chunk, number });
    number += 1;
    if (portion.length < size) continue;
    yield portion;
    portion = [];
  }
  if (portion.length > 0) yield portion;
}

async function endBadly(deps: Deps, key: Key, lease: string, error: unknown, stopping: boolean): Promise<Outcome> {
  if (error instanceof LeaseLost) return null;
  try {
    if (stopping) {
      await giveBack(deps.db, key, lease, { afterSeconds: 0, attempted: false, why: null });
      return "postponed";
    }
    const failure = failureOf(error);
    if (failure === "wait" || failure === "again") {
      const about = { file: key.fileId, vectorStore: key.vectorStoreId };
      if (failure === "wait") deps.log.warn({ ...about, reason: (error as Error).message }, "ingestion waits");
      else deps.log.error({ ...about, err: error }, "ingestion failed; it is tried again");
      // What nobody foresaw is for the log alone.
      const why = error instanceof ApiError ? error.message : null;
      await giveBack(deps.db, key, lease, { afterSeconds: outageSeconds, attempted: failure === "again", why });
      return "postponed";
    }
    await leased(deps, key, lease, async (tx, store, file) => {
      await endWithoutChunks(tx, store, file, { status: "failed", error: failure });
    });
    return "failed";
  } catch (again) {
    // The lease runs out by itself.
    if (!(again instanceof LeaseLost))
      deps.log.error({ err: again, file: key.fileId }, "the end of an ingestion could not be recorded");
    return null;
  }
}

/** What an error means for the file: its end; `wait` for what is not its fault; `again`, a few times, for what nobody foresaw. */
function failureOf(error: unknown): LastError | "wait" | "again" {
  if (error instanceof DocumentError) return { code: error.code, message: error.message };
  if (error instanceof Exhausted) {
    return {
      code: "server_error",
      message: `Reading the file failed ${mostAttempts} times. The server's log says why.`,
    };
  }
  if (!(error instanceof ApiError)) return "again";
  if (error.status === 429 || error.status >= 500) return "wait";
  return { code: "server_error", message: error.message };
}
