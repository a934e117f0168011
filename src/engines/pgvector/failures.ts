import { ApiError, errorCode } from "../../words/errors.js";
import { isLate, requireOpen, withinBounds } from "../bounds.js";
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
    return await (bounds === undefined ? work() : withinBounds(bounds, work));
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
    (await pace(workedMs)) && bounds?.signal?.aborted !== true && !isLate(bounds ?? {});

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
