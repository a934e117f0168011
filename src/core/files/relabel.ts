import { isDeepStrictEqual } from "node:util";
import type { Db } from "../../db/database.js";
import { forgetChunks, requeue } from "../../db/tables/ingestQueue.js";
import { findStoreFile, updateAttributes } from "../../db/tables/storeFiles.js";
import { listSameAs } from "../../db/tables/twins.js";
import type { Attributes, StoreFile } from "../../words/file.js";
import { type Part, inherit, newChunkBase, relabelChunks, together } from "./changes.js";

/**
 * Changing the attributes of a file, so that they and its chunks always agree. Files that share chunks have the same
 * attributes; one that comes to differ gets chunks of its own. Ingestion makes them, because they may be very many, and
 * copies the vectors.
 */

const same = (a: Attributes | null, b: Attributes | null) => isDeepStrictEqual(a ?? {}, b ?? {});

/** Gives an attached file and its chunks these attributes. The file is in progress again if it shared its chunks. */
export async function relabelFile(tx: Db, file: StoreFile, attributes: Attributes | null): Promise<Part> {
  const record: Part = { steps: [], book: (booking) => updateAttributes(booking, file, attributes) };
  if (file.sameAs !== null) {
    const owner = await findStoreFile(tx, file.vectorStoreId, file.sameAs);
    return owner !== undefined && same(owner.attributes, attributes) ? record : together([record, readAgain(file)]);
  }
  if (same(file.attributes, attributes)) return record;
  const [heir, ...others] = await listSameAs(tx, file);
  if (heir === undefined) return together([relabelChunks(file, attributes), record]);
  // Only this file changes, so the others keep the chunks as they are.
  const forget: Part = { steps: [], book: (booking) => forgetChunks(booking, file, newChunkBase()) };
  return together([inherit(file, heir, others), forget, record, readAgain(file)]);
}

/** It replaced files of its name when it was complete for the first time. */
const readAgain = (file: StoreFile): Part => ({
  steps: [],
  book: (tx) => requeue(tx, file, { settings: file.settings, replaces: false }),
});
