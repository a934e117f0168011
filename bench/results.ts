import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { z } from "zod";

const measured = z.object({
  clients: z.int(),
  requests: z.int(),
  rate: z.number(),
  p50: z.number(),
  p95: z.number(),
  p99: z.number(),
});

const head = {
  measuredAt: z.iso.datetime(),
  version: z.string(),
  database: z.string(),
  machine: z.object({ cpu: z.string(), cores: z.int(), memoryGb: z.int(), system: z.string(), node: z.string() }),
  seconds: z.number(),
  dimensions: z.int(),
};

const insertResult = z.object({
  kind: z.literal("insert"),
  ...head,
  cases: z.array(
    measured.extend({
      what: z.string(),
      /** A limit is what the same database does without the service. */
      limit: z.boolean(),
      rowsPerRequest: z.int(),
      rowsPerSecond: z.number(),
      /** Rows/s as a share of the limit: the same INSERT by a bare client, and COPY. */
      ofInsert: z.number().nullable(),
      ofCopy: z.number().nullable(),
      peakRssMb: z.number().nullable(),
    }),
  ),
});

const searchResult = z.object({
  kind: z.literal("search"),
  ...head,
  /** Milliseconds to embed one query: in every search of the service, not in the bare server's. */
  embedMs: z.number(),
  cases: z.array(
    z.object({
      rows: z.int(),
      recall: z.number(),
      service: measured,
      bare: measured,
      ratio: z.number(),
      peakRssMb: z.number(),
    }),
  ),
});

const result = z.discriminatedUnion("kind", [insertResult, searchResult]);

export type InsertResult = z.output<typeof insertResult>;
export type SearchResult = z.output<typeof searchResult>;
export type Result = z.output<typeof result>;

export function readResult(file: string): Result {
  const parsed = result.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!parsed.success) throw new Error(`${file} holds no results of this program:\n${z.prettifyError(parsed.error)}`);
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
