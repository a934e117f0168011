import { createHash, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import {
  type ImportState,
  leaseOf,
  leaseSeconds,
  releaseImport,
  saveImport,
  takeImport,
} from "../../db/tables/imports.js";
import { ApiError } from "../../words/errors.js";
import type { TransferSource } from "../../words/rows.js";
import { type ImportCounts, type ImportRequest, type TransferDeps, addCounts, noCounts } from "./importRequest.js";

/** How far an import has come: kept in the database, where another process on another machine finds it. */
export interface Checkpoint {
  /** Where an earlier run has come to; null: this is the beginning. */
  position: unknown;
  counts: ImportCounts;
  /** The same import was finished before. */
  repeated: boolean;
  /** All up to the position is done. @returns the counts with these. */
  advance(position: unknown, counts: ImportCounts): Promise<ImportCounts>;
  /** Another process has taken the import over, as it may when this one gave no sign of life. */
  lost(): boolean;
  end(finished: boolean): Promise<ImportCounts>;
}

/** A run that is killed does again what it did since the last of these. */
const saveEveryMs = 1000;
const heartbeatMs = (leaseSeconds * 1000) / 4;

/** @throws ApiError 409 when the same import is under way in another process. */
export async function openCheckpoint(
  deps: TransferDeps,
  source: TransferSource,
  request: ImportRequest,
): Promise<Checkpoint> {
  const fingerprint = fingerprintOf(source, request);
  // A stream that cannot be read again is nothing to go on with.
  if (request.dryRun || !source.repeatable) return unkept();
  const lease = { fingerprint, lease: randomUUID() };
  const state = await take(deps, source, lease);
  const goesOn = !state.finished && !request.restart && state.position !== null;
  return new KeptCheckpoint(deps, lease, state, goesOn);
}

/** What is the same for the same command: not the password, nor how fast it is done. */
function fingerprintOf(source: TransferSource, request: ImportRequest): string {
  const { store, storeName, embeddingModel, idPrefix } = request;
  const what = { source: source.identity, store, storeName, embeddingModel, idPrefix };
  return createHash("sha256").update(JSON.stringify(what)).digest("hex");
}

/** A process that was killed may have left its lease behind, whose end is waited for; one that renews it is at work. */
async function take(
  { db }: TransferDeps,
  source: TransferSource,
  lease: { fingerprint: string; lease: string },
): Promise<ImportState> {
  const taking = { ...lease, source: source.name, alone: db.kind === "pglite" };
  let seen: string | null = null;
  for (;;) {
    const state = await takeImport(db, taking);
    if (state !== null) return state;
    const until = await leaseOf(db, lease.fingerprint);
    if (seen !== null && until !== null && until !== seen) throw underWay();
    seen = until;
    await setTimeout(250);
  }
}

const underWay = () =>
  new ApiError(
    409,
    "The same import is under way in another process. Wait for it, or end it; then start it again, and it goes on where that one stopped.",
    { code: "import_under_way" },
  );

const unkept = (): Checkpoint => {
  let counts = noCounts;
  return {
    position: null,
    counts,
    repeated: false,
    advance: (_, more) => Promise.resolve((counts = addCounts(counts, more))),
    lost: () => false,
    end: () => Promise.resolve(counts),
  };
};

class KeptCheckpoint implements Checkpoint {
  readonly position: unknown;
  readonly repeated: boolean;
  counts: ImportCounts;
  private reached: unknown;
  private savedAt = performance.now();
  private taken = false;
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    private readonly deps: TransferDeps,
    private readonly lease: { fingerprint: string; lease: string },
    state: ImportState,
    goesOn: boolean,
  ) {
    this.position = goesOn ? state.position : null;
    this.reached = this.position;
    this.counts = goesOn ? { ...noCounts, ...(state.counts as Partial<ImportCounts> | null) } : noCounts;
    this.repeated = state.finished;
    this.heartbeat = setInterval(() => {
      void this.save({}).catch(() => undefined);
    }, heartbeatMs);
  }

  async advance(position: unknown, counts: ImportCounts): Promise<ImportCounts> {
    this.counts = addCounts(this.counts, counts);
    this.reached = position;
    if (performance.now() - this.savedAt >= saveEveryMs) await this.save(this.state(false));
    return this.counts;
  }

  lost(): boolean {
    return this.taken;
  }

  async end(finished: boolean): Promise<ImportCounts> {
    clearInterval(this.heartbeat);
    await this.save(this.state(finished));
    await releaseImport(this.deps.db, this.lease);
    return this.counts;
  }

  private state(finished: boolean): Partial<ImportState> {
    return { position: finished ? null : this.reached, counts: this.counts, finished };
  }

  private async save(state: Partial<ImportState>): Promise<void> {
    this.savedAt = performance.now();
    if (!(await saveImport(this.deps.db, this.lease, state))) this.taken = true;
  }
}
