import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type RawDatabase, type Target, createTarget, openRaw } from "./database.js";
import {
  type ImportOptions,
  createReference,
  dimensions,
  exportAnswer,
  runCommand,
  runImport,
  startCommand,
  storeId,
} from "./importing.js";
import { createCopy, hasPsql } from "./limits.js";
import { type Goal, type Report, type Table, atLeast, atMost, makeTable } from "./results.js";
import { startService } from "./service.js";

interface Case {
  what: string;
  rows: number;
  /** Rows per second. */
  rate: number;
  memory: number | null;
}

/**
 * Rows/s of an import from a litellm-pgvector database on the same server, and of psql's COPY of the same rows into
 * tables like those the import writes to; each in its own database. Then an import that is killed halfway, and files.
 */
export async function benchImport(options: ImportOptions): Promise<Report> {
  if (!hasPsql(options.psql)) throw new Error("An import is compared with COPY: name a psql with --psql.");
  const source = await createReference(options);
  const from = source.environment.DATABASE_URL ?? "";
  const about = await describe(options);
  const cases: Case[] = [];
  const record = (found: Case) => {
    cases.push(found);
    console.error(`${found.what}: ${Math.round(found.rate)} rows/s`);
  };

  // COPY gets what an import has written, in an order like that of the source's table, whose ids are random.
  const first = await createTarget(options.databaseUrl);
  await runImport(options, first, ["--from", from]);
  const copy = createCopy(options.psql, first, storeId, "ORDER BY md5(id)");
  const limits: Record<"no indexes" | "their indexes", { record: number; vectors: number }[]> = {
    "no indexes": [],
    "their indexes": [],
  };
  const rates = new Map<string, { rate: number; memory: number }[]>();
  const variants = options.writers.flatMap((writers) => [
    { what: importName(writers, true), args: ["--writers", String(writers)] },
    { what: importName(writers, false), args: ["--writers", String(writers), "--no-verify"] },
  ]);
  for (let round = 0; round < options.rounds; round += 1) {
    limits["no indexes"].push(await copy(false));
    limits["their indexes"].push(await copy(true));
    for (const { what, args } of variants) {
      const target = await createTarget(options.databaseUrl);
      const { answer, memory } = await runImport(options, target, ["--from", from, ...args]);
      if (answer.rows.added !== options.rows) throw new Error(`${answer.rows.added} rows were added`);
      const rate = options.rows / answer.seconds;
      rates.set(what, [...(rates.get(what) ?? []), { rate, memory }]);
      await drop(target);
      console.error(`round ${round + 1}, ${what}: ${Math.round(rate)} rows/s`);
    }
  }
  const copied: Record<string, number> = {};
  for (const [indexes, times] of Object.entries(limits)) {
    const rateOf = (ms: (each: (typeof times)[number]) => number) => (1000 * options.rows) / median(times.map(ms));
    for (const [which, rate] of [
      ["the record only", rateOf((each) => each.record)],
      ["record and vectors", rateOf((each) => each.record + each.vectors)],
    ] as const) {
      const what = `limit: psql COPY, ${which}, ${indexes}`;
      copied[`${which}, ${indexes}`] = rate;
      record({ what, rows: options.rows, rate, memory: null });
    }
  }
  for (const [what, found] of rates) {
    const memory = Math.max(...found.map((each) => each.memory));
    record({ what, rows: options.rows, rate: median(found.map((each) => each.rate)), memory });
  }
  const goals = goalsOf(options, cases, copied);
  const killed = await killAndResume(options, from);
  goals.push(atMost("killed halfway and resumed: rows missing, doubled or changed", 0, killed.wrong, "whole"));
  const tables = [tableOf(cases, copied), killed.table];
  if (options.fileRows > 0) tables.push(await measureFiles(options, first));
  const notes = [
    `A litellm-pgvector database of ${options.rows.toLocaleString("en")} rows × ${dimensions} is read from the same server that is written to; database, import and psql share the cores. ` +
      `COPY gets the rows in that database's physical order, an import reads them in the order of ids. ` +
      `Figures are medians of ${options.rounds} rounds. “Verified” is the default: each row is read back and compared before it is committed.`,
  ];
  return { kind: "import", title: "Import", ...about, notes, tables, goals };
}

const importName = (writers: number, verified: boolean) =>
  `import, ${writers} ${writers === 1 ? "writer" : "writers"}, ${verified ? "verified" : "--no-verify"}`;

/** Starts a service to learn the server's name. */
async function describe({ databaseUrl, settings }: ImportOptions): Promise<Pick<Report, "version" | "database">> {
  const target = await createTarget(databaseUrl);
  const service = await startService(target, { dimensions, settings });
  const { version, database } = service;
  await service.stop();
  await drop(target);
  return { version, database };
}

/** Frees disk space before the end. */
async function drop(target: Target): Promise<void> {
  const raw = await openRaw(target.environment);
  await raw.query("DROP TABLE IF EXISTS embeddings, vector_store_vectors CASCADE");
  await raw.query("CHECKPOINT").catch(() => undefined);
  await raw.close();
}

/** Kills an import when half of the rows are stored, then starts it again. */
async function killAndResume(options: ImportOptions, from: string): Promise<{ table: Table; wrong: number }> {
  const target = await createTarget(options.databaseUrl);
  const child = startCommand(options, target, ["import", "--from", from]);
  const gone = new Promise((resolve) => child.once("close", resolve));
  const raw = await openRaw(target.environment);
  const half = Math.floor(options.rows / 2);
  while ((await countIn(raw)) < half) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  await gone;
  const kept = await countIn(raw);
  const { answer } = await runImport(options, target, ["--from", from]);
  const source = await openRaw({ DATABASE_URL: from, DATA_DIR: target.directory });
  const digest = `SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, sum(('x' || left(md5(id || content || metadata::text || embedding::text), 15))::bit(60)::bigint)::text AS sum FROM embeddings`;
  const [[there], [here], [counted]] = [
    await source.query<Digest>(digest),
    await raw.query<Digest>(digest),
    await raw.query<{ n: number }>("SELECT chunk_count::int AS n FROM vector_stores"),
  ];
  await source.close();
  await raw.close();
  if (there === undefined || here === undefined) throw new Error("nothing was counted");
  const missing = Math.abs(there.rows - here.rows) + (here.rows - here.ids) + Math.abs(here.rows - (counted?.n ?? 0));
  const wrong = missing + (here.sum === there.sum ? 0 : 1);
  const rows = [[kept, answer.rows.resumed_after, answer.rows.duplicates, answer.rows.added, here.rows, here.ids]];
  const columns = [
    "rows when killed:whole",
    "continued after:whole",
    "already stored:whole",
    "added in total:whole",
    "rows at the end:whole",
    "distinct ids:whole",
  ];
  return {
    table: makeTable("Killed with SIGKILL when half of the rows were stored, then started again:", columns, rows),
    wrong,
  };
}

interface Digest {
  rows: number;
  ids: number;
  sum: string;
}

async function countIn(raw: RawDatabase): Promise<number> {
  const [made] = await raw.query<{ there: boolean }>("SELECT to_regclass('vector_store_imports') IS NOT NULL AS there");
  if (made?.there !== true) return 0;
  const [row] = await raw.query<{ n: string }>("SELECT COALESCE(max(chunk_count), 0)::text AS n FROM vector_stores");
  return Number(row?.n ?? 0);
}

/** Exports a store's rows to files of every kind, and imports each file. */
async function measureFiles(options: ImportOptions, target: Target): Promise<Table> {
  const raw = await openRaw(target.environment);
  await raw.query("DELETE FROM embeddings WHERE id IN (SELECT id FROM embeddings ORDER BY id OFFSET $1)", [
    options.fileRows,
  ]);
  await raw.close();
  const rows: Table["rows"] = [];
  for (const [what, file, args] of [
    ["NDJSON, base64", "base64.ndjson", []],
    ["NDJSON, numbers", "numbers.ndjson", ["--vectors", "numbers"]],
    ["NDJSON, base64, gzip", "base64.ndjson.gz", []],
    ["Parquet", "rows.parquet", []],
  ] as const) {
    const path = join(target.directory, file);
    const exported = await runCommand(options, target, ["export", "--all", "--output", path, ...args]);
    const { seconds } = exportAnswer.parse(exported.answer);
    const into = await createTarget(options.databaseUrl);
    const imported = await runImport(options, into, [path]);
    await drop(into);
    rows.push([
      what,
      (await stat(path)).size / 1e6,
      options.fileRows / seconds,
      exported.memory,
      options.fileRows / imported.answer.seconds,
      imported.memory,
    ]);
    console.error(
      `${what}: exported ${Math.round(options.fileRows / seconds)} rows/s, imported ${Math.round(options.fileRows / imported.answer.seconds)}`,
    );
  }
  const columns = [
    "file",
    "MB:whole",
    "export rows/s:whole",
    "memory MB:whole",
    "import rows/s:whole",
    "memory MB:whole",
  ];
  return makeTable(`Files of ${options.fileRows.toLocaleString("en")} rows:`, columns, rows);
}

function tableOf(cases: readonly Case[], copied: Record<string, number>): Table {
  const limits = Object.keys(copied);
  const rows = cases.map(({ what, rows, rate, memory }) => [
    what,
    rows,
    rate,
    ...limits.map((limit) => (memory === null ? null : rate / (copied[limit] ?? NaN))),
    memory,
  ]);
  const columns = [
    "what",
    "rows:whole",
    "rows/s:whole",
    ...limits.map((limit) => `of COPY, ${limit}:percent`),
    "memory MB:whole",
  ];
  return makeTable("", columns, rows);
}

function goalsOf({ writers }: ImportOptions, cases: readonly Case[], copied: Record<string, number>): Goal[] {
  const rateOf = (verified: boolean) =>
    Math.max(...writers.map((each) => cases.find(({ what }) => what === importName(each, verified))?.rate ?? 0));
  const share = (verified: boolean, limit: string) => rateOf(verified) / (copied[limit] ?? NaN);
  return [
    atLeast(
      "import, verified: share of COPY into the same tables with their indexes",
      0.5,
      share(true, "record and vectors, their indexes"),
      "percent",
    ),
    atLeast(
      "import, --no-verify: share of COPY into the same tables without indexes",
      0.5,
      share(false, "record and vectors, no indexes"),
      "percent",
    ),
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}
