import { type Command, Option } from "commander";
import type { ImportRequest, ImportResult } from "../core/transfer/importRequest.js";
import type { TransferSource } from "../words/rows.js";
import { CommandError, type Io } from "./io.js";
import { wholeNumber } from "./options.js";
import { renderTable } from "./table.js";
import { type Opened, openTarget, tellingFailures, untilInterrupted } from "./transfer/open.js";
import { count, duration, progressBar } from "./transfer/progress.js";
import { type SourceOptions, openSource, sourceOptions } from "./transfer/source.js";
import { printable } from "../words/readable.js";

const help = `
Where rows come from:
  --from URL                 a PostgreSQL database. The tables of litellm-pgvector ("vector_stores", "embeddings") and
                             litellm-vector-store ("vector_stores", "documents") are recognised, with their stores;
                             name any other table with --table.
  FILE…                      .ndjson, .jsonl, .csv, .tsv (each also as .gz) or .parquet; "-" is NDJSON from standard
                             input.
Where rows go:
  --store ID                 an existing vector store
  --store-name NAME          a new one
  (neither)                  the source's own stores, with their ids: from its tables, --store-column, or
                             vector_store_id in a file

The columns of a table or file are called id, content, embedding, metadata and created_at (and vector_store_id),
unless an option names others. An embedding is a vector, an array of numbers, or base64 of float32 numbers. Ids are
kept if the id column of this database can hold them. A row without an id gets one made from its position and content,
the same in every run.

Rows are written to the database directly: DATABASE_URL, or the embedded one, whose server must be stopped. Servers of
a PostgreSQL database may run and search meanwhile. Each row is read back and compared before it is committed. The
database remembers how far the import has come: after any interruption, even kill -9, run the same command again to
continue, from any machine. Once it has finished, the same command imports what has been added since.

Examples:
  $ vector-store import --from postgresql://user:password@old-host/litellm     # all stores of litellm-pgvector
  $ vector-store import --from env:OLD_DATABASE_URL --dry-run                  # the URL from a variable; look first
  $ vector-store import --from "$URL" --table docs --content-column body --metadata-columns lang,url --store-name Docs
  $ vector-store import rows.ndjson more.parquet --store vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c
  $ kubectl exec deployment/vector-store -- vector-store import --from "$URL"`;

interface ImportOptions extends SourceOptions {
  store?: string;
  storeName?: string;
  embeddingModel?: string;
  embed?: true;
  idPrefix: string;
  onConflict: "error" | "skip";
  dryRun?: true;
  restart?: true;
  verify: boolean;
  writers: number;
  json?: true;
}

export function importCommand(program: Command, io: Io): void {
  sourceOptions(
    program
      .command("import")
      .description("import rows from another database or from files into vector stores")
      .argument("[file...]", "files; - is standard input"),
  )
    .option("--store <id>", "the vector store that all rows go to")
    .option("--store-name <name>", "make a vector store for all rows")
    .option(
      "--embedding-model <name>",
      "the model that made the vectors, for new stores (default: EMBEDDING__MODEL, if the dimensions agree)",
    )
    .option("--embed", "embed rows without an embedding by their store's model, instead of refusing them")
    .option("--id-prefix <text>", "put this before the ids of all rows", "")
    .addOption(
      new Option("--on-conflict <what>", "if a row's id already exists with other content")
        .choices(["error", "skip"])
        .default("error"),
    )
    .option("--dry-run", "read and check everything, report what would be done, and change nothing")
    .option("--restart", "start over instead of continuing an earlier run")
    .option("--no-verify", "do not read rows back before they are committed")
    .addOption(new Option("--writers <n>", "pages of rows written at once").argParser(wholeNumber).default(3))
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .action((files: string[], options: ImportOptions) =>
      tellingFailures(() => untilInterrupted((signal) => runImport(files, options, signal, io))),
    );
}

async function runImport(files: string[], options: ImportOptions, signal: AbortSignal, io: Io): Promise<void> {
  if (options.store !== undefined && options.storeName !== undefined)
    throw new CommandError("Give either --store or --store-name.");
  const target = await openTarget(io, { lookOnly: options.dryRun === true });
  try {
    const source = await openSource(files, options, target, io);
    try {
      await transfer(source, options, target, signal, io);
    } finally {
      await source.close();
    }
  } finally {
    await target.close();
  }
}

async function transfer(
  source: TransferSource,
  options: ImportOptions,
  { deps }: Opened,
  signal: AbortSignal,
  io: Io,
): Promise<void> {
  if (source.withoutEmbedding > 0 && options.embed !== true && options.dryRun !== true) {
    throw new CommandError(
      `${count(source.withoutEmbedding)} of ${count(source.total?.amount ?? 0)} rows have no embedding. Add --embed to embed them by the store's model ` +
        `(which may cost money), or --where "embedding IS NOT NULL" to leave them out.`,
    );
  }
  const { importRows } = await import("../core/transfer/importRows.js");
  const bar = progressBar(io, source.total);
  const begun = performance.now();
  let result: ImportResult;
  try {
    result = await importRows(deps, source, requestOf(options, signal), ({ done, before, counts }) => {
      bar.show({ done, before, rows: counts.read });
    });
  } finally {
    bar.clear();
  }
  const seconds = (performance.now() - begun) / 1000;
  const notes = notesOn(result);
  for (const note of notes) io.stderr.write(`${printable(note)}\n`);
  if (options.json) io.stdout.write(`${JSON.stringify({ ...asJson(result, source, seconds), notes }, null, 2)}\n`);
  else io.stdout.write(describe(result, source, seconds, io));
  if (!result.finished)
    throw new CommandError(`Stopped after ${count(result.counts.read)} rows. Run the same command again to continue.`);
}

const requestOf = (options: ImportOptions, signal: AbortSignal): ImportRequest => ({
  store: options.store ?? null,
  storeName: options.storeName ?? null,
  embeddingModel: options.embeddingModel ?? null,
  embed: options.embed === true || options.dryRun === true,
  idPrefix: options.idPrefix,
  onConflict: options.onConflict,
  verify: options.verify,
  writers: options.writers,
  dryRun: options.dryRun === true,
  restart: options.restart === true,
  signal,
});

/** What the source has, and this service does not have now. */
function notesOn({ counts, notUnderstood, peopleLeft }: ImportResult): string[] {
  const notes: string[] = [];
  if (peopleLeft)
    notes.push("Permissions and usage stay behind: they belong to the source's own stores, and all rows go to one.");
  if (counts.notUnderstood > 0) {
    const more = counts.notUnderstood - notUnderstood.length;
    const names = `${notUnderstood.join("; ")}${more > 0 ? ` and ${count(more)} more` : ""}`;
    notes.push(
      `${count(counts.notUnderstood)} permissions and uses mean nothing here and were left out: ${names}. ` +
        "Grant what they meant with PUT /v1/vector_stores/{id}/permissions/user:{id}.",
    );
  }
  if (counts.usedLongAgo > 0)
    notes.push(`Uses older than USAGE_RETENTION_DAYS, which were left out: ${count(counts.usedLongAgo)}.`);
  return notes;
}

function describe(result: ImportResult, source: TransferSource, seconds: number, io: Io): string {
  const { counts, dryRun } = result;
  const lines: string[] = [];
  const rate = Math.round((counts.read - result.resumedAfter) / seconds);
  lines.push(
    `${dryRun ? "Looked through" : "Imported"} ${printable(source.name)}: ${count(counts.read)} rows` +
      (result.resumedAfter > 0 ? `, ${count(result.resumedAfter)} of them in an earlier run` : "") +
      `, in ${duration(seconds)} (${count(rate)} rows/s).`,
  );
  const would = dryRun ? "would be " : "";
  const parts: [number, string][] = [
    [counts.added, `${would}added`],
    [counts.duplicates, "already there, the same"],
    [counts.skipped, `already there with other content, ${would}left unchanged`],
    [counts.embedded, `without an embedding, ${would}embedded here`],
    [counts.withoutDirection, "with a vector of zeros, which no search can find"],
    [counts.granted, `permissions that ${dryRun ? "would be" : "were"} granted`],
    [counts.used, `uses that ${dryRun ? "would be" : "were"} counted`],
  ];
  for (const [rows, what] of parts) if (rows > 0) lines.push(`  ${count(rows)} ${what}`);
  for (const at of result.skippedRows) lines.push(`    left unchanged: ${printable(at)}`);
  if (result.repeated) lines.push("This import had finished before; this run looked for what has been added since.");
  if (!dryRun) {
    lines.push(`read    ${count(counts.read - counts.skipped)} rows, checksum ${counts.readChecksum}`);
    const how = result.verified ? "each was read back from the database and compared" : "not read back (--no-verify)";
    lines.push(`stored  ${count(counts.added + counts.duplicates)} rows, checksum ${counts.storedChecksum}; ${how}`);
  }
  const table = renderTable(
    [
      { title: "STORE", value: (store) => store.id },
      { title: "NAME", value: (store) => store.name, flexible: true },
      { title: "DIMENSIONS", value: (store) => String(store.dimensions), align: "right" as const },
      { title: "MODEL", value: (store) => store.model },
      { title: "", value: (store) => (store.made ? (dryRun ? "would be made" : "made") : "existed") },
    ],
    result.stores,
    io.stdout,
  );
  return `${lines.join("\n")}\n${table}`;
}

function asJson(result: ImportResult, source: TransferSource, seconds: number): object {
  const { counts } = result;
  return {
    object: "import",
    source: source.name,
    finished: result.finished,
    dry_run: result.dryRun,
    seconds: Number(seconds.toFixed(3)),
    rows: {
      read: counts.read,
      resumed_after: result.resumedAfter,
      added: counts.added,
      duplicates: counts.duplicates,
      skipped: counts.skipped,
      embedded: counts.embedded,
      without_direction: counts.withoutDirection,
    },
    people: {
      granted: counts.granted,
      used: counts.used,
      used_long_ago: counts.usedLongAgo,
      not_understood: counts.notUnderstood,
    },
    verified: result.verified,
    checksums: { read: counts.readChecksum, stored: counts.storedChecksum },
    skipped_rows: result.skippedRows,
    stores: result.stores,
  };
}
