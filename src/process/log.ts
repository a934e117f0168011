import { pino } from "pino";
import { describeError } from "./describeError.js";

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
 * One JSON line per event, or a plain one for a person at a terminal. Never pass it keys, texts or vectors; the
 * redaction is only a safety net. Warnings and errors are written at once, together with waiting lines; other lines
 * within 100 ms or when the process exits.
 */
export function createLog(level: string, { plain = false }: { plain?: boolean } = {}): Log {
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
    lines += plain ? plainLine(line) : line;
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

const fieldsOfLine = new Set(["level", "time", "msg", "err"]);

/** A log line as a person reads it: time, level, message, fields; an error's stack below it. */
export function plainLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const { level, time, msg, err } = fields;
  const word = pino.levels.labels[Number(level)] ?? "";
  const others = Object.entries(fields).filter(([name]) => !fieldsOfLine.has(name));
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const stack = (err as { stack?: string; message?: string } | undefined)?.stack;
  return (
    [
      `${clock} ${word.padEnd(5)} ${printable(msg)}`,
      ...others.map(([name, value]) => `${name}=${printable(value)}`),
    ].join("  ") + `\n${stack === undefined ? "" : `${stack.split("\n").map(printable).join("\n")}\n`}`
  );
}

/** Without control characters, which could change the terminal. */
const printable = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"') : JSON.stringify(value);
