import { type Command, Option } from "commander";
import { Readable } from "node:stream";
import type { SourceKind } from "../../db/source/openSource.js";
import type { TransferSource } from "../../words/rows.js";
import type { FileFormat } from "../../rows/fileSource.js";
import { CommandError, type Io } from "../io.js";
import type { Opened } from "./open.js";

/** Options for where rows come from and what their columns are called. */
export interface SourceOptions {
  from?: string;
  fromKind?: SourceKind;
  table?: string;
  where?: string;
  idColumn?: string;
  contentColumn?: string;
  embeddingColumn?: string;
  metadataColumn?: string;
  metadataColumns?: string[];
  createdAtColumn?: string;
  storeColumn?: string;
  keyColumn?: string;
  format?: FileFormat;
  delimiter?: string;
}

const names = (text: string) => text.split(",").map((each) => each.trim());

/** Adds the options of `SourceOptions` to a command. */
export function sourceOptions(command: Command): Command {
  return command
    .option("--from <url>", "a PostgreSQL database: its URL (postgresql://…), or env:NAME for a variable with the URL")
    .addOption(
      new Option("--from-kind <kind>", "its kind (default: recognised by its tables)").choices([
        "litellm-pgvector",
        "litellm-vector-store",
        "table",
      ]),
    )
    .option("--table <name>", "the table with the rows, or schema.table")
    .option("--where <condition>", "an SQL condition for the rows of the table")
    .option("--id-column <name>", "the rows' ids (default: id, else the table's key)")
    .option("--content-column <name>", "their texts (default: content)")
    .option("--embedding-column <name>", "their vectors (default: embedding)")
    .option("--metadata-column <name>", "JSON objects (default: metadata)")
    .option(
      "--metadata-columns <names>",
      "further columns that become keys of the metadata, separated by commas",
      names,
    )
    .option("--created-at-column <name>", "times (default: created_at)")
    .option("--store-column <name>", "which store a row belongs to")
    .addOption(new Option("--format <format>", "of files without a known ending").choices(["ndjson", "csv", "parquet"]))
    .option("--delimiter <character>", "between the cells of CSV (default: a comma)")
    .option("--key-column <name>", "a unique column to order a table or view without a primary key by");
}

/** @throws CommandError, StartupError */
export async function openSource(
  files: readonly string[],
  options: SourceOptions,
  target: Opened,
  io: Io,
): Promise<TransferSource> {
  if (options.from === undefined && files.length === 0)
    throw new CommandError(
      "Where do the rows come from? Name files, or a database with --from. See: vector-store import --help",
    );
  if (options.from !== undefined && files.length > 0) throw new CommandError("Give either files or --from.");
  if (options.from !== undefined) return openDatabaseSource(options.from, options, target, io);
  const { openFiles } = await import("../../rows/fileSource.js");
  const columns = {
    id: options.idColumn ?? "id",
    content: options.contentColumn ?? "content",
    embedding: options.embeddingColumn ?? "embedding",
    metadata: options.metadataColumn ?? "metadata",
    metadataColumns: options.metadataColumns ?? [],
    createdAt: options.createdAtColumn ?? "created_at",
    store: options.storeColumn ?? "vector_store_id",
  };
  const { format = null, delimiter = null } = options;
  return openFiles(files, { columns, format, delimiter }, io.stdin?.() ?? Readable.from([]));
}

async function openDatabaseSource(
  from: string,
  options: SourceOptions,
  { config, log }: Opened,
  io: Io,
): Promise<TransferSource> {
  const { openSourceDatabase } = await import("../../db/source/connect.js");
  const { openTableSource } = await import("../../db/source/openSource.js");
  const database = await openSourceDatabase(config.database, urlOf(from, io), log);
  try {
    return await openTableSource(database, {
      kind: options.fromKind ?? null,
      table: options.table ?? null,
      where: options.where ?? null,
      adoptedOwner: config.access.adoptedOwner,
      mapping: {
        id: options.idColumn ?? null,
        content: options.contentColumn ?? null,
        embedding: options.embeddingColumn ?? null,
        metadata: options.metadataColumn ?? null,
        metadataColumns: options.metadataColumns ?? [],
        createdAt: options.createdAtColumn ?? null,
        store: options.storeColumn ?? null,
        key: options.keyColumn ?? null,
      },
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** `env:NAME` reads a variable: everybody on the machine can read a command line, with the password in a URL. */
function urlOf(from: string, io: Io): string {
  const name = /^env:(.+)$/.exec(from)?.[1];
  if (name === undefined) return from;
  const value = io.environment()[name];
  if (value === undefined || value === "")
    throw new CommandError(`--from: there is no variable ${name} in the environment.`);
  return value;
}
