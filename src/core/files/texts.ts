import { Readable } from "node:stream";
import type { Caller } from "../../words/caller.js";
import type { Attributes, IngestSettings, StoreFile } from "../../words/file.js";
import type { Deps } from "../deps.js";
import { requireSameModel } from "../stores/model.js";
import * as stores from "../stores/stores.js";
import { addDocument } from "./documents.js";
import * as files from "./files.js";
import { untilEnded } from "./until.js";

/** How long to wait for all texts together. */
const waitMs = 60_000;

export interface NewTexts {
  texts: readonly string[];
  /** Attributes of the texts, in the same order; a missing entry means "none". */
  metadatas: readonly (Attributes | null)[];
  settings: IngestSettings;
  /** The store's model, as its caller names it; null: not named. */
  model: string | null;
}

/**
 * Adds texts to a store, each as a file, and waits up to 60 s until they are searchable.
 * @throws ApiError 404, 400 (expired, or another model); then no text is added
 */
export async function addTexts(
  deps: Deps,
  caller: Caller,
  storeId: string,
  { texts, metadatas, settings, model }: NewTexts,
): Promise<StoreFile[]> {
  const store = await stores.findUsable(deps, caller, storeId, "write");
  requireSameModel(deps, store, model);
  const described = texts.map((text, i) => ({ text, attributes: metadatas[i] ?? null }));
  await stores.markUsed(deps, caller, store.id);
  const deadline = performance.now() + waitMs;
  const added: StoreFile[] = [];
  for (const { text, attributes } of described) {
    const kept = await files.keep(deps, "text.txt", Readable.from([Buffer.from(text)]));
    added.push(await addDocument(deps, caller, store, kept, { settings, attributes, replaces: false }, { ms: 0 }));
  }
  return Promise.all(added.map((file) => untilEnded(deps, file, Math.max(0, deadline - performance.now()))));
}
