import { pino } from "pino";

export type Log = pino.Logger;

/** How long a line may wait for others, so that they are written at once: a write a request was a fifth of a search's own work. */
const patienceMs = 100;
/** Lines of so many characters do not wait. */
const enough = 8192;
const { warn = 40 } = pino.levels.values;

/**
 * One JSON line per event. Keys, texts and vectors are never passed to it; the redaction is the second net. Warnings and errors are written
 * at once with what waits before them, and the rest within 100 ms or at the process's end.
 */
export function createLog(level: string): Log {
  const output = pino.destination({ sync: false });
  // Not the destination's own buffer: what comes while it writes would stay there until something else is logged.
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

/** Name, message, code and stack only: a database error's `detail` or a provider's body may quote a user's text. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  return { name: error.name, message: error.message, code, stack: error.stack, cause };
}
