import { ApiError, errorCode, unavailable } from "../../words/errors.js";

const tooLong = (cause: unknown) =>
  unavailable("The database did not finish within its time limit.", { retryAfterSeconds: 5, cause });

/** The code of the error of a caller that waited in vain for a connection. */
export const exhausted = "pool_exhausted";

/** All connections stayed busy; the database itself may be well. */
export const poolExhausted = ({ poolSize, poolTimeoutMs }: { poolSize: number; poolTimeoutMs: number }) =>
  unavailable(
    `All ${poolSize} database connections of this server are busy, and none became free within ` +
      `${poolTimeoutMs / 1000} s. Try again shortly.`,
    { code: exhausted },
  );

const away = "The database is not reachable at the moment. Try again shortly.";

const unstorable = (message: string) => (cause: unknown) =>
  new ApiError(400, message, { param: null, code: "invalid_value", cause });

/**
 * PostgreSQL's SQLSTATEs (appendix A of its manual) that mean something to a caller; all others are our own fault: 500.
 */
const bySqlState: Record<string, (cause: unknown) => ApiError> = {
  "22001": (cause) =>
    new ApiError(400, "A text is longer than its database column allows.", { code: "invalid_value", cause }),
  "22003": (cause) =>
    new ApiError(400, "A number is outside the range the database allows.", { code: "invalid_value", cause }),
  "22021": unstorable("A text holds a character the database cannot store (such as U+0000)."),
  "22P05": unstorable("A text holds a character the database cannot store (such as U+0000)."),
  "23503": (cause) =>
    new ApiError(404, "The vector store was deleted meanwhile.", { param: "id", code: "not_found", cause }),
  "23505": (cause) => new ApiError(409, "A row with one of these values exists already.", { code: "conflict", cause }),
  "23514": (cause) =>
    new ApiError(400, "A value breaks a rule (check constraint) of its database table.", {
      code: "invalid_value",
      cause,
    }),
  "25006": (cause) => unavailable("The database accepts no writes at the moment (it is read-only).", { cause }),
  "40001": (cause) =>
    unavailable("The database was too busy to finish this. Try again.", { retryAfterSeconds: 1, cause }),
  "40P01": (cause) =>
    unavailable("The database was too busy to finish this. Try again.", { retryAfterSeconds: 1, cause }),
  "53100": (cause) => unavailable("The database has no disk space left.", { retryAfterSeconds: 60, cause }),
  "53200": (cause) => unavailable("The database is out of memory. Try again shortly.", { retryAfterSeconds: 5, cause }),
  "53300": (cause) => unavailable("The database has no free connection. Try again shortly.", { cause }),
  "54000": unstorable("A value is larger than the database can store."),
  "54001": unstorable("The request is nested too deeply for the database."),
  "55P03": (cause) =>
    unavailable("The database was too busy to finish this. Try again.", { retryAfterSeconds: 1, cause }),
  "57014": tooLong,
  "57P01": (cause) => unavailable(away, { cause }),
  "57P02": (cause) => unavailable(away, { cause }),
  "57P03": (cause) => unavailable(away, { cause }),
};

const socketErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "ENETUNREACH",
  "EHOSTDOWN",
  // The socket file of a local server that is not running.
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
]);

/** PgBouncer uses one code for all errors, including those that waiting will not fix. */
const misnamed = /does not exist|no such (user|database)|authentication failed/i;

/** True for failures of the connection itself, after which it must not be used again. */
export function isConnectionFailure(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "08P01" && misnamed.test((error as Error).message)) return false;
  if (code !== null && (socketErrors.has(code) || code.startsWith("08") || code.startsWith("57P"))) return true;
  // Errors that `pg` raises about its own connection have no code. Trying again does not give a server TLS.
  return (
    error instanceof Error &&
    code === null &&
    /timeout|terminated|connection|not queryable|socket/i.test(error.message) &&
    !error.message.includes("does not support SSL")
  );
}

/** SQLSTATE's classes of errors about what was sent: bad data, a broken constraint, a value beyond a limit. */
const refusals = /^(22|23|54)/;

/** True if the database will refuse the same values again, however often they are sent. */
export function isRefusal(error: unknown): boolean {
  const cause = error instanceof ApiError ? error.details.cause : error;
  return refusals.test(errorCode(cause) ?? "");
}

/** A driver's error as the ApiError its caller should see; errors that are our own fault come back unchanged. */
export function translateError(error: unknown): unknown {
  if (error instanceof ApiError) return error;
  const known = bySqlState[errorCode(error) ?? ""];
  if (known !== undefined) return known(error);
  // Behind PgBouncer, only `pg` limits statements. A server that is away is noticed earlier (watch.ts).
  if (error instanceof Error && error.message === "Query read timeout") return tooLong(error);
  return isConnectionFailure(error) ? unavailable(away, { cause: error }) : error;
}
