import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { invalid } from "../words/errors.js";
import { type TransferStore, addChecksums, noChecksum } from "../words/rows.js";
import { type ExportOutput, type FileOutputOptions, exportFormats, jsonOrNull, openFileOutput } from "./exportFile.js";
import { writeStoreLine } from "./storeLine.js";

const manifestName = "manifest.json";

/** manifest.json: what a directory of exported files contains. */
const manifest = z.object({
  object: z.literal("vector_store.export"),
  format: z.enum(exportFormats),
  identity: z.string(),
  finished: z.boolean(),
  rows: z.int(),
  checksum: z.string(),
  files: z.array(z.object({ name: z.string(), rows: z.int(), checksum: z.string() })),
  position: z.unknown(),
});
type Manifest = z.output<typeof manifest>;

/**
 * Writes rows to files of at least `rowsPerFile` rows in a directory, with a manifest. A run continues where an earlier
 * one with the same `identity` was interrupted.
 * @param path the directory, which is created if necessary
 * @param options.stores are listed in the manifest as well as in the files
 * @throws ApiError 400 if the directory has a finished export and `overwrite` is not set
 */
export async function openDirectoryOutput(
  path: string,
  options: FileOutputOptions & { rowsPerFile: number; stores: readonly TransferStore[] },
): Promise<ExportOutput> {
  await mkdir(path, { recursive: true });
  const found = await readManifest(path);
  if (found?.finished === true && !options.overwrite)
    throw invalid(path, "already has a finished export. Name another directory, or add --overwrite");
  const identity = createHash("sha256").update(options.identity).digest("hex");
  const goesOn = found !== null && !found.finished && found.identity === identity;
  const state: Manifest = goesOn
    ? found
    : {
        object: "vector_store.export",
        format: options.format,
        identity,
        finished: false,
        rows: 0,
        checksum: noChecksum,
        files: [],
        position: null,
      };
  const nameOf = (number: number) => `part-${String(number).padStart(5, "0")}.${options.format}`;
  const openPart = () => {
    const number = state.files.length + 1;
    const part = { ...options, overwrite: true, identity: `${identity} ${number}` };
    return openFileOutput(join(path, nameOf(number)), part);
  };
  const save = async () => {
    const { object, position, ...rest } = state;
    const stores = options.stores.map(writeStoreLine).join(",\n    ");
    const head = JSON.stringify({ object, ...rest, position }, null, 2).slice(0, -2);
    await writeFile(join(path, `${manifestName}.new`), `${head},\n  "stores": [\n    ${stores}\n  ]\n}\n`);
    await rename(join(path, `${manifestName}.new`), join(path, manifestName));
  };
  let part = await openPart();
  await save();
  const kept = part.begun;
  const begun = {
    position: kept.position ?? state.position,
    rows: state.rows + kept.rows,
    checksum: addChecksums(state.checksum, kept.checksum),
  };
  let current = { rows: kept.rows, checksum: kept.checksum };
  const endPart = async (position: unknown) => {
    await part.finish();
    state.files.push({ name: nameOf(state.files.length + 1), ...current });
    state.rows += current.rows;
    state.checksum = addChecksums(state.checksum, current.checksum);
    state.position = position;
    current = { rows: 0, checksum: noChecksum };
  };
  let position = begun.position;
  return {
    begun,
    write: async (page) => {
      if (current.rows >= options.rowsPerFile) {
        await endPart(position);
        part = await openPart();
        await save();
      }
      await part.write(page);
      position = page.position;
      current = { rows: current.rows + page.rows.length, checksum: addChecksums(current.checksum, page.checksum) };
    },
    finish: async () => {
      await endPart(position);
      state.finished = true;
      await save();
      return [...state.files.map(({ name }) => join(path, name)), join(path, manifestName)];
    },
    leave: () => part.leave(),
  };
}

async function readManifest(directory: string): Promise<Manifest | null> {
  const text = await readFile(join(directory, manifestName), "utf8").catch(() => null);
  if (text === null) return null;
  const parsed = manifest.safeParse(jsonOrNull(text));
  if (!parsed.success)
    throw invalid(join(directory, manifestName), "is not the manifest of an export. Name another directory");
  return parsed.data;
}

/** The files of an exported directory, in order. @throws ApiError 400 if there is no finished export */
export async function filesOfExport(directory: string): Promise<string[]> {
  const found = await readManifest(directory);
  if (found === null) throw invalid(directory, `has no ${manifestName}: name its files, or an exported directory`);
  if (!found.finished) throw invalid(directory, "has an unfinished export. Run the same export again to finish it");
  return found.files.map(({ name }) => join(directory, name));
}
