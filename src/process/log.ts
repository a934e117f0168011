import { pino } from "pino";
import { errorCode } from "../words/errors.js";

export type Log = pino.Logger;

/**
 * How long a line may wait for others, to be written together: one write per request was a fifth of a search's own
 * work.
 */
const patienceMs = 100;
/** Waiting lines are written once they have this many characters. */
const enough = 8192;
const { warn = 40 } = pino.levels.values;

/**
 * One JSON line per event. Never pass it keys, texts or vectors; the redaction is only a safety net. Warnings and
 * errors are written at once, together with waiting lines; other lines within 100 ms or when the process exits.
 */
export function createLog(level: string): Log {
  const output = pino.destination({ sync: false });
  // Instead of the destination's own buffer, which keeps lines that arrive during a write until the next line is
  // logged.
  let lines = "";
  let waiting: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(waiting);
    waiting = undefined;
    if (lines !== "") output.write(lines);
    lines = "";
  };
  const write = (line: string) => {
    lines += line;
    if (lines.length > enough) flush();
    else waiting ??= setTimeout(flush, patienceMs).unref();
  };
  if (level !== "silent") {
    process.once("exit", () => {
      flush();
      output.flushSync();
    });
  }
  const settings: pino.LoggerOptions = {
    level,
    hooks: {
      logMethod(args, method, level) {
        method.apply(this, args);
        if (level >= warn) flush();
      },
    },
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        "*.authorization",
        "*.apiKey",
        "*.api_key",
        "*.password",
        "*.connectionString",
        "*.embedding",
        "*.content",
      ],
      censor: "[redacted]",
    },
    serializers: { err: describeError },
  };
  return pino(settings, { write });
}

/**
 * Only name, message, code, stack and cause: a database error's `detail` or a provider's body may quote a user's text.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = errorCode(error) ?? undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  return { name: error.name, message: error.message, code, stack: error.stack, cause };
}
