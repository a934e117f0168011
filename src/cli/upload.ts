import { type Command, Option } from "commander";
import { createHash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { connect, type Server, type ServerOptions, withServerOptions } from "./connection.js";
import { notOurs } from "./failures.js";
import { CommandError, type Io } from "./io.js";
import { pair, wholeNumber } from "./options.js";
import { bar, progressLine } from "./progress.js";
import { requireId } from "./stores.js";
import { printable } from "../words/readable.js";

const help = `
A path is a file, a folder (with everything below it except hidden files and node_modules), or a quoted pattern. A
file counts as added once searches find it. Files that the store already has, by name and content, are skipped, so an
interrupted run can be repeated. If a file cannot be read, the reason is printed and the exit code is 1.

--json prints {"added", "skipped", "failed", "data"} at the end: for each file its path, its status, and OpenAI's file
object or the error.

Examples:
  $ vector-store upload $ID handbook.pdf faq.md
  $ vector-store upload $ID ./documents --attribute team=support
  $ vector-store upload $ID 'wiki/**/*.md' --replace      # new versions take the place of old ones`;

interface UploadOptions extends ServerOptions {
  attribute?: Record<string, string>;
  chunkSize?: number;
  chunkOverlap?: number;
  visionModel?: string;
  replace?: true;
  json?: true;
  parallel: number;
}

/** The options behind the API's fields, for its messages. */
const fields = {
  attributes: "--attribute",
  chunk_size: "--chunk-size",
  chunk_overlap: "--chunk-overlap",
  vision_model: "--vision-model",
};

/** A vision model may have to read a document page by page. */
const timeoutMs = 600_000;

export function uploadCommand(program: Command, io: Io): void {
  withServerOptions(program.command("upload").description("put documents into a vector store"))
    .argument("<id>", "the store's id (vs_…)")
    .argument("<path...>", "files, folders or patterns")
    .option("--attribute <key=value...>", "an attribute of each file, to filter searches by", pair)
    .option("--chunk-size <n>", "characters per chunk (default: 512)", wholeNumber)
    .option("--chunk-overlap <n>", "characters that neighbouring chunks share (default: 50)", wholeNumber)
    .option("--vision-model <model>", "the model that reads pictures (default: the server's VISION_MODEL)")
    .option("--replace", "replace files of the same name in the store")
    .option("--json", "print what became of each file")
    .addOption(new Option("--parallel <n>", "files uploaded at once").argParser(wholeNumber).default(4))
    .addHelpText("after", help)
    .action(async (id: string, paths: string[], options: UploadOptions) => {
      const server = connect(options, io);
      const storeId = requireId(id);
      const files = await findDocuments(paths);
      if (files.length === 0) throw new CommandError("No files found there.");
      const known = await listKnown(server, storeId);
      const outcomes = await uploadAll(server, storeId, files, known, options, io);
      const count = (status: Outcome["status"]) => outcomes.filter((each) => each.status === status).length;
      const counts = { added: count("added"), skipped: count("skipped"), failed: count("failed") };
      io.stdout.write(
        options.json
          ? `${JSON.stringify({ ...counts, data: outcomes }, null, 2)}\n`
          : `${counts.added} added, ${counts.skipped} already there, ${counts.failed} failed\n`,
      );
      if (counts.failed > 0) {
        throw new CommandError(`${counts.failed} of ${files.length} files could not be added; the reasons are above.`);
      }
    });
}

/** Every file once, in the order of paths. @throws CommandError for a path that does not exist */
async function findDocuments(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const entry = await stat(path).catch(() => null);
    if (entry?.isFile() === true) found.add(path);
    else if (entry === null && !isDynamicPattern(path)) throw new CommandError(`There is no file or folder ${path}.`);
    else {
      const options = { ignore: ["**/node_modules/**"], onlyFiles: true, expandDirectories: false };
      const inside =
        entry === null ? await glob(path, options) : await glob("**", { ...options, cwd: path, absolute: true });
      for (const file of inside.sort()) found.add(file);
    }
  }
  return [...found];
}

interface StoreFile {
  filename: string;
  status: string;
  content_sha256: string | null;
  last_error: { message: string } | null;
}

const keyOf = (filename: string, sha256: string) => `${sha256} ${filename}`;

/** The files that the store already has, by `keyOf`. */
async function listKnown(server: Server, storeId: string): Promise<Set<string>> {
  const known = new Set<string>();
  for (let after: string | undefined; ;) {
    const query = { limit: 100, filter: "completed", ...(after !== undefined && { after }) };
    const page = await server.ask((client) =>
      client.get<{ data?: StoreFile[]; has_more?: boolean; last_id?: string }>(
        `/vector_stores/${encodeURIComponent(storeId)}/files`,
        { query },
      ),
    );
    if (!Array.isArray(page.data)) throw notOurs(server.url, "without a list of files");
    for (const file of page.data)
      if (file.content_sha256 !== null) known.add(keyOf(file.filename, file.content_sha256));
    if (page.has_more !== true) return known;
    after = page.last_id;
  }
}

/** What became of a file; `file` as the API answered. */
type Outcome = { path: string } & (
  { status: "added"; file: StoreFile } | { status: "skipped" } | { status: "failed"; error: string }
);

/** @returns what became of each file, in the order of `files`. */
async function uploadAll(
  server: Server,
  storeId: string,
  files: readonly string[],
  known: ReadonlySet<string>,
  options: UploadOptions,
  io: Io,
): Promise<Outcome[]> {
  const line = progressLine(io);
  const outcomes: Outcome[] = [];
  let [next, done] = [0, 0];
  const one = async (path: string): Promise<Outcome> => {
    if (known.has(keyOf(basename(path), await sha256Of(path)))) return { path, status: "skipped" };
    try {
      return { path, status: "added", file: await upload(server, storeId, path, options) };
    } catch (error) {
      // One file's failure must not stop the others.
      if (!(error instanceof CommandError)) throw error;
      line?.clear();
      io.stderr.write(`${printable(path)}: ${error.message}\n`);
      return { path, status: "failed", error: error.message };
    }
  };
  const work = async () => {
    for (let i = next++; i < files.length; i = next++) {
      const path = files[i] ?? "";
      line?.show(`${bar(done, files.length)} ${path}`);
      outcomes[i] = await one(path);
      done += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.parallel, files.length) }, work));
  } finally {
    line?.clear();
  }
  return outcomes;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest("hex");
}

async function upload(server: Server, storeId: string, path: string, options: UploadOptions): Promise<StoreFile> {
  const form = new FormData();
  const field = (name: string, value: string | number | undefined) => {
    if (value !== undefined) form.append(name, String(value));
  };
  field("chunk_size", options.chunkSize);
  field("chunk_overlap", options.chunkOverlap);
  field("vision_model", options.visionModel);
  field("attributes", options.attribute && JSON.stringify(options.attribute));
  field("replace", options.replace && "true");
  // Read from disk as it is sent.
  form.append("file", await openAsBlob(path), basename(path));
  const url = `/vector_stores/${encodeURIComponent(storeId)}/upload`;
  const send = (client: Server["client"]) => client.post<StoreFile>(url, { body: form, timeout: timeoutMs });
  const file = await server.ask(send, fields).catch((error: unknown) => {
    throw withoutName(error, basename(path));
  });
  if (file.status !== "completed") throw new CommandError(file.last_error?.message ?? `is still ${file.status}`);
  return file;
}

/** The server's messages on a document begin with its name; the line here begins with the whole path. */
function withoutName(error: unknown, name: string): unknown {
  const prefix = `${printable(name).slice(0, 200)}: `;
  if (!(error instanceof CommandError) || !error.message.startsWith(prefix)) return error;
  return new CommandError(error.message.slice(prefix.length));
}
