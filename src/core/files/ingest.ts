import type { Db } from "../../db/database.js";
import { findFiles } from "../../db/tables/files.js";
import { endLeases, isHeld, recordProgress, renewLease, takeNext } from "../../db/tables/ingestQueue.js";
import { listLeft } from "../../db/tables/leftChunks.js";
import { follow } from "../../process/abort.js";
import { SpanKind, inSpan } from "../../process/tracing.js";
import { DocumentError } from "../../words/document.js";
import type { CuttingPlan, StoreFile, StoredFile } from "../../words/file.js";
import { type Caller, newMeter } from "../../words/caller.js";
import { byPayer } from "../../words/usage.js";
import type { Deps } from "../deps.js";
import { bookModel } from "../stores/embedding.js";
import { settlePrompts } from "../stores/settlePrompts.js";
import { modelInUse } from "../stores/model.js";
import {
  type Part,
  completeAsTwin,
  completeFile,
  detachFiles,
  dropChunks,
  hideFile,
  isLarge,
  nothing,
  together,
} from "./changes.js";
import { describer } from "./describe.js";
import { TooCoarse, embedPieces } from "./embedPieces.js";
import { writeChunks } from "./fileChunks.js";
import { Exhausted, type Outcome, endBadly, mostAttempts } from "./ingestEnd.js";
import { removeLeft } from "../stores/leftChunks.js";
import { type Held, LeaseLost, type Leased, change } from "./leased.js";
import { halved, newPlan, planOf, portions } from "./plan.js";
import { spool } from "./spool.js";
import { type Twin, twinOf } from "./twinVectors.js";

/**
 * Raise this when the same document would give other chunks than before: files that another version left unfinished
 * then start again.
 */
const madeBy = 1;

const leaseSeconds = 60;
/** How soon a worker notices that its file was cancelled, detached or deleted. */
const checkEveryMs = 1_000;
const checksPerRenewal = 15;
const all = { kind: "all" } as const;

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
 * @param stopping begins no further model call; what the one under way returns is still stored
 * @param ending ends it at once
 * @returns false when there was nothing to do
 */
export async function ingestNext(
  deps: Deps,
  lease: string,
  stopping: AbortSignal,
  ending: AbortSignal = stopping,
): Promise<boolean> {
  const key = await takeNext(deps.db, lease, leaseSeconds);
  if (key === undefined) return false;
  const control = new AbortController();
  const unfollow = follow(ending, control);
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
  const leased: Leased = { deps, key, lease, stopping, meter: newMeter(), payer: null };
  const begun = performance.now();
  let outcome: Outcome;
  try {
    await inSpan("ingest file", { kind: SpanKind.INTERNAL, root: true }, () => ingest(leased, control.signal));
    outcome = "completed";
  } catch (error) {
    outcome = await endBadly(leased, control.signal.aborted ? control.signal.reason : error, stopping.aborted);
  } finally {
    clearInterval(heartbeat);
    unfollow();
  }
  timed();
  if (outcome !== null) deps.metrics.ingestedFiles.inc({ outcome });
  if (outcome === "completed" || outcome === "failed" || leased.meter.tokens > 0)
    recordUse(leased, outcome, performance.now() - begun);
  return true;
}

/** The part of a payer in what was used; the service's own files are the server's. */
function recordUse({ deps, key, meter, payer }: Leased, outcome: Outcome, durationMs: number): void {
  const user = payer === null ? { userId: null, teamId: null, keyId: "server" } : byPayer(payer);
  const status = outcome === "completed" ? 200 : outcome === "failed" ? 422 : 503;
  const ended = { storeId: key.vectorStoreId, action: "ingestFile", tokens: meter.tokens, status };
  deps.usage.record({ ...user, ...ended, durationMs: Math.round(durationMs) });
}

async function ingest(leased: Leased, signal: AbortSignal): Promise<void> {
  const { deps, key } = leased;
  const begun = await begin(leased);
  if (begun === null) return;
  const { file } = begun;
  const [stored] = await findFiles(deps.db, all, [key.fileId], deps.now());
  if (stored === undefined) {
    // It was deleted while it was being attached: as OpenAI says, a deleted file leaves every store.
    await change(leased, "correction", (tx, held) => detachFiles(tx, [held.file]));
    throw new LeaseLost();
  }
  const asking = { caller: { ...(await deps.payers.callerFor(file.payer)), meter: leased.meter }, signal };
  leased.payer = file.payer;
  const store = await settlePrompts(deps, asking.caller, begun.store);
  const resumed = file.plan ?? planOf(modelInUse(deps, store), file.settings.cutting);
  const twin = await twinOf(deps, store, file, madeBy);
  const begins = async () => twin?.plan ?? newPlan(deps, store, file.settings, asking);
  let plan = file.chunkCount > 0 ? resumed : await begins();
  const { path, remove } = await spool(deps, stored, signal);
  try {
    for (;;) {
      try {
        await read(leased, { begun: { file, store }, stored, path, plan, twin, asking }, signal);
        break;
      } catch (error) {
        if (!(error instanceof TooCoarse)) throw error;
        const smaller = halved(plan);
        if (smaller === null) throw error.cause;
        plan = smaller;
      }
    }
    deps.metrics.ingestedBytes.inc(stored.bytes);
  } finally {
    await remove();
  }
}

interface Reading {
  begun: Held;
  stored: StoredFile;
  path: string;
  plan: CuttingPlan;
  twin: Twin | null;
  /** Who pays. */
  asking: { caller: Caller; signal: AbortSignal };
}

/** Reads a file, and embeds and stores its chunks. @throws TooCoarse before the first is stored */
async function read(
  leased: Leased,
  { begun, stored, path, plan: before, twin, asking }: Reading,
  signal: AbortSignal,
): Promise<void> {
  const { deps, stopping } = leased;
  const { file, store } = begun;
  const reading = new AbortController();
  const unfollow = [follow(signal, reading), follow(stopping, reading)];
  try {
    let plan = before;
    const chunks = deps.documents.read(
      { path, size: stored.bytes, name: stored.filename },
      {
        cutting: { ...file.settings.cutting, size: plan.size, overlap: plan.overlap },
        pdfVision: deps.config.files.pdfVision,
        describe: describer(deps, file, asking),
        signal: reading.signal,
      },
    );
    let count = 0;
    for await (const portion of portions(chunks, deps.config.embedding.batchSize, before)) {
      const stillToDo = portion.slice(Math.max(0, file.chunkCount - count));
      count += portion.length - stillToDo.length;
      if (stillToDo.length === 0) continue;
      stopping.throwIfAborted();
      await deps.limiter.requireRoom(store, sumBytes(stillToDo));
      const todo = { pieces: stillToDo, first: count, plan, twin };
      const { embeddings, ...made } = await embedPieces(deps, store, todo, asking);
      signal.throwIfAborted();
      plan = made.plan;
      await change(leased, "ingestion", (_tx, held) =>
        together([
          { steps: [], book: (tx) => bookModel(deps, tx, store) },
          writeChunks(deps, held.file, made.chunks, embeddings, plan),
        ]),
      );
      deps.metrics.ingestedChunks.inc(made.chunks.length);
      count += made.chunks.length;
    }
    if (count === 0) throw new DocumentError("invalid_file", "The document has no text that could be searched.");
    await change(leased, "correction", (tx, held) => complete(tx, held.file, count));
  } finally {
    for (const end of unfollow) end();
  }
}

const sumBytes = (pieces: readonly { text: string }[]) =>
  pieces.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

/** @returns null if the file is already complete, because another one has the same content. */
async function begin(leased: Leased): Promise<Held | null> {
  const state: { begun: Held | null; isLeaving: boolean } = { begun: null, isLeaving: false };
  // The file's former chunks are hidden under its id: they must be gone before the new ones are shown.
  await removeLeft(leased.deps, leased.key);
  await change(leased, "correction", async (tx, { store, file }) => {
    if (file.attempts > mostAttempts) throw new Exhausted();
    const completed = await completeAsTwin(tx, file);
    if (completed !== null) return completed;
    const isOther =
      file.chunkCount > 0 &&
      (file.madeBy !== madeBy || (file.plan !== null && file.plan.model !== modelInUse(leased.deps, store)));
    state.isLeaving = (isOther && isLarge(file)) || (await listLeft(tx, file, 1)).length > 0;
    if (state.isLeaving) return isOther ? dropChunks(file) : nothing;
    state.begun = isOther
      ? { store: { ...store, chunkCount: store.chunkCount - file.chunkCount }, file: { ...file, chunkCount: 0 } }
      : { store, file };
    return together([
      isOther ? dropChunks(file) : nothing,
      hideFile(file),
      { steps: [], book: (booking) => recordProgress(booking, file, { stage: "parsing", madeBy }) },
    ]);
  });
  return state.isLeaving ? begin(leased) : state.begun;
}

async function complete(tx: Db, file: StoreFile, count: number): Promise<Part> {
  return (await completeAsTwin(tx, file)) ?? completeFile(tx, file, count);
}
