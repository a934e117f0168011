import { type Command, InvalidArgumentError, Option } from "commander";
import { statSync } from "node:fs";
import type { ExportPosition, ExportRequest } from "../core/transfer/exportRows.js";
import { exactJson } from "../words/exactJson.js";
import { type Filter, parseFilter } from "../words/filter.js";
import { type ExportFormat, type ExportOutput, exportFormats } from "../rows/exportFile.js";
import { type VectorText, vectorForms } from "../rows/rowWriter.js";
import { type TransferStore, addChecksums } from "../words/rows.js";
import { CommandError, type Io } from "./io.js";
import { jsonObject, wholeNumber } from "./options.js";
import { openTarget, tellingFailures, untilInterrupted } from "./transfer/open.js";
import { count, duration, progressBar } from "./transfer/progress.js";

const help = `
Writes id, vector_store_id, content, metadata, created_at and embedding of each row, and the settings of the stores,
so that "vector-store import" can make the same stores elsewhere. Numbers keep all their digits.

  --output FILE.ndjson, FILE.ndjson.gz    one JSON object per line; embeddings as base64 of float32 numbers, or see
                                          --vectors
  --output FILE.parquet                   for pandas, DuckDB and the like; embeddings as lists of floats
                                          (about 2,000 rows/s)
  --output DIRECTORY                      files of --rows-per-file rows in the format of --format, and manifest.json
  --output -                              NDJSON on standard output

Files are called ….partial until they are complete. After an interruption, run the same command again to continue;
only a single Parquet file starts over. Rows written during the export may be in it or not. Files that are still being
ingested are left out.

Reads the database directly: DATABASE_URL, or the embedded one, whose server must be stopped.

Examples:
  $ vector-store export vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c --output faq.ndjson.gz
  $ vector-store export --all --output backup/ --format parquet
  $ vector-store export $ID --output - --vectors none --filter '{"team": "support"}' | jq -r .content
  $ kubectl exec deployment/vector-store -- vector-store export --all --output - | gzip > all.ndjson.gz`;

interface ExportOptions {
  all?: true;
  output: string;
  format?: ExportFormat;
  vectors: VectorText;
  filter?: Filter | null;
  rowsOnly?: true;
  rowsPerFile: number;
  overwrite?: true;
  json?: true;
}

export function exportCommand(program: Command, io: Io): void {
  program
    .command("export")
    .description("write the rows of vector stores to files")
    .argument("[id...]", "the stores' ids (vs_…)")
    .option("--all", "all vector stores")
    .requiredOption("--output <path>", "a file, a directory, or - for standard output")
    .addOption(
      new Option("--format <format>", "default: by the file's name; ndjson in a directory").choices(exportFormats),
    )
    .addOption(new Option("--vectors <form>", "embeddings in NDJSON").choices(vectorForms).default("base64"))
    .option("--filter <json>", "only rows whose metadata matches, as in a search", readFilter)
    .option("--rows-only", "leave out the stores' settings: only rows, as POST …/embeddings/batch takes them")
    .option("--rows-per-file <n>", "rows of each file in a directory", wholeNumber, 100_000)
    .option("--overwrite", "replace an existing file or export")
    .option("--json", "print the result as JSON (on standard error with --output -)")
    .addHelpText("after", help)
    .action((ids: string[], options: ExportOptions) =>
      tellingFailures(() => untilInterrupted((signal) => runExport(ids, options, signal, io))),
    );
}

function readFilter(text: string): Filter | null {
  try {
    return parseFilter(jsonObject(text), "--filter");
  } catch (error) {
    throw error instanceof InvalidArgumentError ? error : new InvalidArgumentError((error as Error).message);
  }
}

async function runExport(ids: string[], options: ExportOptions, signal: AbortSignal, io: Io): Promise<void> {
  if (options.all && ids.length > 0) throw new CommandError("Give either ids or --all.");
  if (!options.all && ids.length === 0)
    throw new CommandError("Which vector stores? Give their ids, or --all. See: vector-store stores list");
  const { exportRows, storesToExport } = await import("../core/transfer/exportRows.js");
  const target = await openTarget(io, { lookOnly: false });
  try {
    const request: ExportRequest = {
      stores: options.all ? null : [...new Set(ids)],
      filter: options.filter ?? null,
      withVectors: options.vectors !== "none",
    };
    const { stores, rows } = await storesToExport(target.deps, request);
    const output = await openOutput(options, request, stores, io);
    const { begun } = output;
    const bar = progressBar(io, { amount: rows, unit: "rows" });
    const result = { rows: begun.rows, checksum: begun.checksum, stores: new Set<string>() };
    const started = performance.now();
    let files: string[] = [];
    try {
      const after = begun.position as ExportPosition | null;
      for await (const page of exportRows(target.deps, stores, request, after, signal)) {
        if (signal.aborted) break;
        await output.write(page);
        result.rows += page.rows.length;
        result.checksum = addChecksums(result.checksum, page.checksum);
        bar.show({ done: result.rows, rows: result.rows, before: begun.rows });
      }
      if (!signal.aborted) files = await output.finish();
    } finally {
      bar.clear();
      if (files.length === 0) await output.leave().catch(() => undefined);
    }
    if (signal.aborted)
      throw new CommandError(`Stopped after ${count(result.rows)} rows. Run the same command again to continue.`);
    tell(
      { ...result, stores: stores.length, resumedAfter: begun.rows, files },
      (performance.now() - started) / 1000,
      options,
      io,
    );
  } finally {
    await target.close();
  }
}

async function openOutput(
  options: ExportOptions,
  request: ExportRequest,
  stores: readonly TransferStore[],
  io: Io,
): Promise<ExportOutput> {
  const { openFileOutput } = await import("../rows/exportFile.js");
  const { vectors, rowsOnly = false, overwrite = false, output, rowsPerFile } = options;
  if (output === "-") {
    if (options.format === "parquet" || options.format === "ndjson.gz")
      throw new CommandError("Only NDJSON goes to standard output.");
    const { createStreamOutput } = await import("../rows/exportStream.js");
    return createStreamOutput((text) => io.stdout.write(text), { vectors, rowsOnly });
  }
  const named =
    exportFormats.filter((format) => output.endsWith(`.${format}`)).at(-1) ??
    (output.endsWith(".jsonl") ? "ndjson" : undefined);
  const identity = exactJson({ request, vectors, rowsOnly });
  const common = { vectors, rowsOnly, overwrite, identity };
  const exists = statSync(output, { throwIfNoEntry: false });
  const isDirectory =
    output.endsWith("/") || exists?.isDirectory() === true || (named === undefined && !/\.\w+$/.test(output));
  const format = options.format ?? named ?? "ndjson";
  if (!isDirectory && named === undefined && options.format === undefined)
    throw new CommandError(
      `--output: is ${output} a file or a directory? Add --format, or end a directory's name with a slash.`,
    );
  if (!isDirectory) return openFileOutput(output, { ...common, format });
  const { openDirectoryOutput } = await import("../rows/exportDirectory.js");
  return openDirectoryOutput(output, { ...common, format, rowsPerFile, stores });
}

function tell(
  result: { rows: number; checksum: string; stores: number; resumedAfter: number; files: string[] },
  seconds: number,
  options: ExportOptions,
  io: Io,
): void {
  const { rows, stores, files, resumedAfter } = result;
  const checksum = options.vectors === "none" ? null : result.checksum;
  // Standard output may carry the rows.
  const out = options.output === "-" ? io.stderr : io.stdout;
  if (options.json) {
    const answer = {
      object: "export",
      rows,
      resumed_after: resumedAfter,
      stores,
      checksum,
      files,
      seconds: Number(seconds.toFixed(3)),
    };
    out.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const rate = Math.round((rows - resumedAfter) / seconds);
  out.write(
    `Exported ${count(rows)} rows of ${stores} ${stores === 1 ? "store" : "stores"} in ${duration(seconds)} (${count(rate)} rows/s)` +
      `${resumedAfter > 0 ? `, ${count(resumedAfter)} of them in an earlier run` : ""}${checksum === null ? "" : `; checksum ${checksum}`}.\n`,
  );
  for (const file of files) if (file !== "-") out.write(`${file}\n`);
}
