import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { encodeTextArray, encodeVectorArray } from "../src/engines/pgvector/binary.js";
import { referenceTables } from "../test/support/litellmPgvector.js";
import { atEnd } from "./cleanup.js";
import { createSource } from "./data.js";
import { type Target, createTarget, openRaw } from "./database.js";
import { residentMb } from "./process.js";

export interface ImportOptions {
  databaseUrl: string;
  settings: Record<string, string>;
  rows: number;
  rounds: number;
  writers: number[];
  /** Rows of each file; 0 skips files. */
  fileRows: number;
  psql: string;
}

export const dimensions = 1536;
export const storeId = "09beee6f-ed62-47c6-a161-dea9018a5a40";
/** Number of distinct vectors: making one takes a millisecond, and the database does not care about repeats. */
const different = 5000;

const importAnswer = z.object({
  finished: z.boolean(),
  seconds: z.number(),
  rows: z.object({ read: z.int(), resumed_after: z.int(), added: z.int(), duplicates: z.int() }),
  checksums: z.object({ read: z.string(), stored: z.string() }),
});
export const exportAnswer = z.object({ rows: z.int(), seconds: z.number(), checksum: z.string().nullable() });

/** A litellm-pgvector database: its two tables, filled in random order, as its ids are random. */
export async function createReference({ databaseUrl, rows }: ImportOptions): Promise<Target> {
  const target = await createTarget(databaseUrl);
  const raw = await openRaw(target.environment);
  await raw.query(`CREATE EXTENSION IF NOT EXISTS vector; ${referenceTables(dimensions)}`);
  await raw.query("INSERT INTO vector_stores (id, name, file_counts) VALUES ($1, 'bench', '{}')", [storeId]);
  const [type] = await raw.query<{ oid: string }>("SELECT 'vector'::regtype::oid::text AS oid");
  const source = createSource("dense", dimensions);
  const made = Array.from({ length: Math.min(different, rows) }, (_, n) => source.row(n));
  const batch = 1000;
  for (let at = 0; at < rows; at += batch) {
    const part = Array.from({ length: Math.min(batch, rows - at) }, (_, i) => ({
      ...made[(at + i) % made.length],
      n: at + i,
    }));
    await raw.query(
      `INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata)
       SELECT gen_random_uuid()::text, $1, u.content, u.embedding, u.metadata::jsonb
       FROM unnest($2::text[], $3::vector[], $4::text[]) AS u(content, embedding, metadata)`,
      [
        storeId,
        encodeTextArray(part.map(({ content = "", n }) => `${n} ${content}`)),
        encodeVectorArray(
          Number(type?.oid),
          part.map(({ vector }) => vector ?? null),
        ),
        encodeTextArray(part.map(({ metadata }) => JSON.stringify(metadata))),
      ],
    );
  }
  await raw.query("VACUUM (ANALYZE)");
  await raw.query("CHECKPOINT").catch(() => undefined);
  await raw.close();
  console.error(`${rows} rows are in the reference database`);
  return target;
}

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** The built command line, on the target's database. */
export function startCommand({ settings }: ImportOptions, target: Target, args: readonly string[]): ChildProcess {
  mkdirSync(target.environment.DATA_DIR, { recursive: true });
  const child = spawn(process.execPath, [main, ...args, "--json"], {
    cwd: target.directory,
    env: { PATH: process.env.PATH, ...target.environment, EMBEDDING__DIMENSIONS: String(dimensions), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(() => {
    child.kill("SIGKILL");
    return Promise.resolve();
  });
  return child;
}

/** @returns the command's answer, and its peak memory in MB */
export async function runCommand(
  options: ImportOptions,
  target: Target,
  args: readonly string[],
): Promise<{ answer: unknown; memory: number }> {
  const child = startCommand(options, target, args);
  let [out, words, memory] = ["", "", 0];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-2000)));
  const timer = setInterval(() => {
    // A process that is ending has no value.
    memory = Math.max(memory, residentMb(child.pid ?? 0) || 0);
  }, 100);
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args[0] ?? ""} failed: ${words}`);
  return { answer: JSON.parse(out), memory };
}

export async function runImport(options: ImportOptions, target: Target, args: readonly string[]) {
  const { answer, memory } = await runCommand(options, target, ["import", ...args]);
  const parsed = importAnswer.parse(answer);
  if (!parsed.finished || parsed.checksums.read !== parsed.checksums.stored)
    throw new Error(`import said ${JSON.stringify(answer)}`);
  return { answer: parsed, memory };
}
