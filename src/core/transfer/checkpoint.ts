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

/** How far an import has come. Kept in the database, so that a process on another machine can continue it. */
export interface Checkpoint {
  /** Where an earlier run stopped; null: start at the beginning. */
  position: unknown;
  counts: ImportCounts;
  /** The same import had already finished once. */
  repeated: boolean;
  /** Records that everything up to the position is done. @returns the total counts, with these added. */
  advance(position: unknown, counts: ImportCounts): Promise<ImportCounts>;
  /** Whether another process has taken the import over because this one stopped renewing its lease. */
  lost(): boolean;
  end(finished: boolean): Promise<ImportCounts>;
}

/** After a kill, the next run repeats what was done since the last save. */
const saveEveryMs = 1000;
const heartbeatMs = (leaseSeconds * 1000) / 4;

/** @throws ApiError 409 if another process is running the same import */
export async function openCheckpoint(
  deps: TransferDeps,
  source: TransferSource,
  request: ImportRequest,
): Promise<Checkpoint> {
  const fingerprint = fingerprintOf(source, request);
  // A stream that cannot be read again cannot be continued.
  if (request.dryRun || !source.repeatable) return unkept();
  const lease = { fingerprint, lease: randomUUID() };
  const state = await take(deps, source, lease);
  const goesOn = !state.finished && !request.restart && state.position !== null;
  return new KeptCheckpoint(deps, lease, state, goesOn);
}

/** Identifies the import: equal for the same command, whatever its password and speed options. */
function fingerprintOf(source: TransferSource, request: ImportRequest): string {
  const { store, storeName, embeddingModel, idPrefix } = request;
  const what = { source: source.identity, store, storeName, embeddingModel, idPrefix };
  return createHash("sha256").update(JSON.stringify(what)).digest("hex");
}

/**
 * Takes the lease of an import. If a killed process left one behind, waits for its end.
 * @throws ApiError 409 if the lease is being renewed, so another process is running
 */
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
    "The same import is under way in another process. Wait for it or stop it, then start again: it continues where that one stopped.",
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
