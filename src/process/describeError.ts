import { errorCode } from "../words/errors.js";

/**
 * An error for the log: only name, message, code, stack and cause. A database error's `detail` or a provider's body may
 * quote a user's text, and so may a database error's message.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = errorCode(error) ?? undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  const message = withoutData(error, code);
  const { name, stack } = error;
  if (message === error.message || stack === undefined) return { name, message, code, stack, cause };
  // A stack begins with the message.
  const frames = stack.indexOf("\n    at ");
  return { name, message, code, stack: `${name}: ${message}${frames < 0 ? "" : stack.slice(frames)}`, cause };
}

/** SQLSTATE classes whose messages name objects of the database, settings and roles, but no data. */
const namesObjects = /^(08|0A|23|25|26|28|34|3D|3F|40|42|53|54|55|57|58)/;
/** Errors of syntax quote the place: a part of the text that was searched for, if it stands in a tsquery. */
const syntaxError = "42601";
/** Raised by a function or trigger in the database, in its own words, which may hold a row. */
const raised = /^(P0|38|39|2F)/;

function withoutData(error: Error, code: string | undefined): string {
  const ofDatabase = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && "severity" in error;
  if (!ofDatabase || (namesObjects.test(code) && code !== syntaxError)) return error.message;
  if (raised.test(code)) return "an error raised in the database";
  // From the first quotation mark to the last, because data may hold such marks; other languages have others.
  return error.message.replace(/["'`«»„“”‚‘’].*["'`«»„“”‚‘’]/su, '"…"');
}
