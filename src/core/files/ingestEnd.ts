import { giveBack } from "../../db/tables/ingestQueue.js";
import { EngineError } from "../../engines/engine.js";
import { DamagedBytes } from "../../storage/storage.js";
import type { Payer } from "../../words/caller.js";
import { DocumentError } from "../../words/document.js";
import { ApiError, TextError } from "../../words/errors.js";
import type { LastError, StoreFile } from "../../words/file.js";
import { endWithoutChunks, nothing } from "./changes.js";
import { LeaseLost, type Leased, change } from "./leased.js";

/**
 * A file that failed this many attempts, for example by crashing the process, is not tried again. So many, because a
 * process that is killed for another reason counts against every file that it was reading.
 */
export const mostAttempts = 8;
/** So often a model may fail on one text although it answers for others. */
const mostTextFailures = 3;
/** How long a file waits after an outage before it is tried again. */
const outageSeconds = 15;
/**
 * How long after it was attached a file waits for a model that refuses everything: long enough for an operator to
 * notice, and to correct the key or the model.
 */
const longestRefusedMs = 24 * 60 * 60 * 1000;

/** Ingestion of the file failed too often. */
export class Exhausted extends Error {}

/** How the work on a file ended; null: another process decides that. */
export type Outcome = "completed" | "failed" | "postponed" | null;

/** Records why the work on a file ended before the file was complete. */
export async function endBadly(leased: Leased, error: unknown, stopping: boolean): Promise<Outcome> {
  if (error instanceof LeaseLost) return null;
  const { deps, key, lease, payer } = leased;
  try {
    if (stopping) {
      await giveBack(deps.db, key, lease, { afterSeconds: 0, attempted: false, why: null, lasts: false });
      return "postponed";
    }
    const failure = failureOf(error, payer);
    if (error instanceof ApiError && error.status === 401 && payer !== null) {
      // A key that was made for ingestion may have been deleted at LiteLLM; one that was made just now says more.
      deps.payers.forget(payer);
      const ending = { code: "server_error", message: toldOf(error, payer) } as const;
      if (await failIf(leased, ending, (file) => file.attempts >= mostTextFailures)) return "failed";
    }
    if (failure === "text") {
      const { message } = error as TextError;
      const ending = { code: "server_error", message } as const;
      if (await failIf(leased, ending, (file) => file.attempts >= mostTextFailures)) return "failed";
      await giveBack(deps.db, key, lease, { afterSeconds: outageSeconds, attempted: true, why: message, lasts: false });
      return "postponed";
    }
    if (failure === "wait" || failure === "refused" || failure === "again") {
      const about = { file: key.fileId, vectorStore: key.vectorStoreId };
      if (failure === "again") deps.log.error({ ...about, err: error }, "ingestion failed; it will be tried again");
      else deps.log.warn({ ...about, reason: (error as Error).message }, "ingestion waits");
      // Unforeseen errors go to the log only.
      const why = error instanceof ApiError ? toldOf(error, payer) : null;
      const lasts = failure === "refused";
      if (lasts) {
        const isOver = (file: StoreFile) => deps.now() - file.createdAt > longestRefusedMs;
        if (await failIf(leased, { code: "server_error", message: why ?? "" }, isOver)) return "failed";
      }
      await giveBack(deps.db, key, lease, { afterSeconds: outageSeconds, attempted: failure === "again", why, lasts });
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

/** Ends a file as failed if it may not be tried again. @returns whether it did */
async function failIf(leased: Leased, error: LastError, isOver: (file: StoreFile) => boolean): Promise<boolean> {
  const state = { failed: false };
  await change(leased, "correction", (_tx, { file }) => {
    if (!isOver(file)) return nothing;
    state.failed = true;
    return endWithoutChunks(file, { status: "failed", error });
  });
  return state.failed;
}

const isUnknownKey = (error: unknown) => error instanceof ApiError && error.status === 401;

/** Of whoever attached the file, by the status of LiteLLM's refusal. */
const refusals = new Map([
  [401, "LiteLLM accepts no key of whoever attached this file. Their user, team or key may be blocked there."],
  [403, "LiteLLM does not let whoever attached this file use the model."],
  [422, "The budget of whoever attached this file is spent at LiteLLM."],
  [429, "The rate limit of whoever attached this file is reached at LiteLLM."],
]);

/**
 * What the readers of the store are told. LiteLLM's own words about a payer have the names of its users and teams, what
 * they spent and what they may spend.
 */
function toldOf(error: ApiError, payer: Payer | null): string {
  if (payer === null || error instanceof TextError || error.details.code === "limit_reached") return error.message;
  if (error.status === 422 && error.details.code !== "budget_exceeded") return error.message;
  return refusals.get(error.status) ?? error.message;
}

/**
 * What an error means for the file: the error that ends it; `wait`: an outage, not the file's fault; `refused`: the
 * model refuses everything, which somebody must correct; `text`: the model fails on one of its texts alone; `again`:
 * unforeseen. The last two are tried a few more times.
 */
function failureOf(error: unknown, payer: Payer | null): LastError | "wait" | "refused" | "again" | "text" {
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
  // The key was made for ingestion; somebody has deleted it at LiteLLM.
  if (isUnknownKey(error)) return "again";
  if (error.details.code === "text_failed") return "text";
  if (error.details.code === "text_refused") return { code: "invalid_file", message: error.message };
  if (error.details.code === "model_refused") return "refused";
  if (!(error instanceof TextError) && (error.status === 429 || error.status >= 500)) return "wait";
  return { code: "server_error", message: toldOf(error, payer) };
}
