import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { z } from "zod";

/** Format of a number. */
const as = z.enum(["text", "whole", "fraction", "percent", "recall"]);

const table = z.object({
  title: z.string(),
  columns: z.array(z.object({ name: z.string(), as })),
  /** Raw values; null if there is none. */
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
});

const goal = z.object({
  goal: z.string(),
  at: z.enum(["least", "most"]),
  bound: z.number(),
  figure: z.number(),
  as,
  met: z.boolean(),
});

/** The outcome of a benchmark. */
const report = z.object({
  kind: z.string(),
  title: z.string(),
  version: z.string(),
  database: z.string(),
  notes: z.array(z.string()),
  tables: z.array(table),
  goals: z.array(goal),
});

const result = report.extend({
  measuredAt: z.iso.datetime(),
  machine: z.object({ cpu: z.string(), cores: z.int(), memoryGb: z.int(), system: z.string(), node: z.string() }),
  seconds: z.number(),
  /** The operator's settings, besides the defaults. */
  settings: z.record(z.string(), z.string()),
});

export type As = z.output<typeof as>;
export type Table = z.output<typeof table>;
export type Goal = z.output<typeof goal>;
export type Report = z.output<typeof report>;
export type Result = z.output<typeof result>;

export const atLeast = (goal: string, bound: number, figure: number, as: As): Goal => ({
  goal,
  at: "least",
  bound,
  figure,
  as,
  met: figure >= bound,
});

export const atMost = (goal: string, bound: number, figure: number, as: As): Goal => ({
  goal,
  at: "most",
  bound,
  figure,
  as,
  met: figure <= bound,
});

/** @param columns `name` for text, or `name:format` */
export function makeTable(title: string, columns: readonly string[], rows: Table["rows"]): Table {
  const parsed = columns.map((each) => {
    const [name = "", format = "text"] = each.split(":");
    return { name, as: as.parse(format) };
  });
  return { title, columns: parsed, rows };
}

export function readResult(file: string): Result {
  const parsed = result.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success)
    throw new Error(`${file} contains no results of this program:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function describeMachine(): Result["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.version,
  };
}
