import { pino } from "pino";

export type Log = pino.Logger;

/** One JSON line per event. Keys, texts and vectors are never passed to it; the redaction is the second net. */
export function createLog(level: string): Log {
  return pino({
    level,
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
  });
}

/** Name, message, code and stack only: a database error's `detail` or a provider's body may quote a user's text. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  return { name: error.name, message: error.message, code, stack: error.stack, cause };
}
