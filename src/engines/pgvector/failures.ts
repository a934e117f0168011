import { ApiError, errorCode } from "../../words/errors.js";
import { type Bounds, EngineError, type FailureKind, type Pace } from "../engine.js";
import { StoreChanged } from "./storeChanged.js";

/** SQLSTATEs that say more than the status of the ApiError they become. */
const [diskFull, undefinedTable, foreignKey] = ["53100", "42P01", "23503"];

/**
 * Runs one call of the engine within its bounds, and turns its failures into EngineErrors. If the caller leaves, the
 * statement runs on to its end or to DATABASE_STATEMENT_TIMEOUT_SECONDS.
 */
export async function bounded<T>(bounds: Bounds | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await (bounds === undefined ? work() : inTime(bounds, work));
  } catch (error) {
    throw named(error);
  }
}

/** Called before each step of background work. @throws what ends it */
export type NextStep = () => void;

/**
 * As `bounded`, for background work of many steps: when its bounds end, it finishes its current step and then rejects.
 * After that nothing runs on, so the database may be closed.
 */
export async function stepwise<T>(bounds: Bounds | undefined, work: (next: NextStep) => Promise<T>): Promise<T> {
  const next = () => {
    requireOpen(bounds ?? {});
  };
  try {
    next();
    const done = await work(next);
    next();
    return done;
  } catch (error) {
    throw named(error);
  }
}

/** A pace that also stops when the bounds end. */
export const paceWithin =
  (bounds: Bounds | undefined, pace: Pace): Pace =>
  async (workedMs) =>
    (await pace(workedMs)) && bounds?.signal?.aborted !== true && !isLate(bounds);

const isLate = (bounds: Bounds | undefined): boolean =>
  bounds?.deadline !== undefined && bounds.deadline <= performance.now();

/** @throws the signal's reason; EngineError `away` after the deadline */
function requireOpen(bounds: Bounds): void {
  bounds.signal?.throwIfAborted();
  if (isLate(bounds)) throw late();
}

async function inTime<T>(bounds: Bounds, work: () => Promise<T>): Promise<T> {
  // A timer of 0 ms may lose the race against a quick answer.
  requireOpen(bounds);
  const { signal, deadline } = bounds;
  let timer: NodeJS.Timeout | undefined;
  let leave = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    leave = () => {
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", leave, { once: true });
    if (deadline === undefined) return;
    timer = setTimeout(() => {
      reject(late());
    }, deadline - performance.now());
  });
  const running = work();
  // It may fail after its caller has left; without this, the rejection would be unhandled.
  running.catch(() => undefined);
  try {
    return await Promise.race([running, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}

const late = () =>
  new EngineError("away", 503, "The database did not answer in time.", {
    code: "service_unavailable",
    retryAfterSeconds: 5,
  });

/** The error as an EngineError. Errors that core's own callbacks throw stay as they are. */
function named(error: unknown): unknown {
  if (error instanceof EngineError) return error;
  if (error instanceof StoreChanged || errorCode(error) === undefinedTable)
    return new EngineError("gone", 409, "The vector store has changed.", { code: "conflict", cause: error });
  if (!(error instanceof ApiError)) return error;
  const kind = kindOf(error);
  return kind === null ? error : new EngineError(kind, error.status, error.message, { ...error.details, cause: error });
}

function kindOf({ status, details }: ApiError): FailureKind | null {
  const code = errorCode(details.cause);
  if (code === foreignKey) return "gone";
  if (status === 503) return code === diskFull ? "full" : "away";
  // Only what the database refused: other 400s come from the change's own checks.
  return status === 400 && code !== null ? "refused" : null;
}
