import { Readable } from "node:stream";
import type { Caller } from "../../words/caller.js";
import type { Deps } from "../deps.js";
import { keep } from "./files.js";
import { type Attributes, type IngestSettings, type StoreFile, untilEnded } from "./storeFiles.js";
import { addDocument, requireStore } from "./documents.js";

/** Together, as any request may take. */
const waitMs = 60_000;

/**
 * Adds texts to a store, each as a file of its own, and waits for them to be searchable.
 * @param metadatas attributes of the texts, by their places; those that are missing are none
 */
export async function addTexts(
  deps: Deps,
  caller: Caller,
  storeId: string,
  texts: readonly string[],
  metadatas: readonly (Attributes | null)[],
  settings: IngestSettings,
): Promise<StoreFile[]> {
  await requireStore(deps, caller, storeId);
  const deadline = performance.now() + waitMs;
  const add = async (text: string, i: number, wait: number) => {
    const kept = await keep(deps, "text.txt", Readable.from([Buffer.from(text)]));
    const upload = { settings, attributes: metadatas[i] ?? null, replaces: false };
    return addDocument(deps, caller, storeId, kept, upload, wait);
  };
  const added: StoreFile[] = [];
  for (const [i, text] of texts.entries()) added.push(await add(text, i, 0));
  return Promise.all(added.map((file) => untilEnded(deps, file, Math.max(0, deadline - performance.now()))));
}
