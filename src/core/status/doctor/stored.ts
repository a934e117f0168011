import type { Config } from "../../../process/config.js";
import type { Probe } from "../../../db/diagnose/probe.js";
import {
  type Contents,
  type ModelInUse,
  countContents,
  countRegistryKeys,
  modelsInUse,
} from "../../../db/diagnose/stored.js";
import type { Tables } from "../../../db/schema/tables.js";
import { ApiError } from "../../../words/errors.js";
import type { Findings } from "./findings.js";
import { printable } from "../../../words/readable.js";

/** What the checks of stored data work on. */
export interface Stored {
  probe: Pick<Probe, "look">;
  config: Config;
  tables: Tables;
  /** The number of the last migration applied; 0 for none. */
  version: number;
  findings: Findings;
}

/** A count with its noun: "1 store", "2 stores". */
export const counted = (count: number, singular: string, plural = `${singular}s`) =>
  `${count} ${count === 1 ? singular : plural}`;

/** Further models are only counted, not listed. */
const shownModels = 10;

/** Stored embeddings must have the dimensions of the settings, unless their store has its own model. */
export async function checkModels(stored: Stored, column: number | null): Promise<void> {
  const { probe, config, tables, version, findings } = stored;
  const models = await probe.look((tx) => modelsInUse(tx, config.database, tables, version));
  const wanted = config.embedding.dimensions;
  const filled = models.filter((each) => each.chunks > 0 && each.dimensions !== null);
  const ofSettings = filled.filter((each) => each.model === null).map((each) => each.dimensions);
  const found = column === null ? [...new Set(ofSettings)] : [column];
  const others = found.filter((each) => each !== wanted);
  if (others.length > 0) {
    findings.fail(
      "dimensions",
      `EMBEDDING__DIMENSIONS is ${wanted}, but the stored embeddings have ${others.join(" and ")}`,
      `Set EMBEDDING__DIMENSIONS=${others[0] ?? ""} and the model that made them (EMBEDDING__MODEL), or use another database or schema.`,
    );
  } else if (found.length > 0) findings.ok("dimensions", `${wanted}, like the stored embeddings`);
  else if (filled.length === 0) findings.ok("dimensions", `${wanted}; nothing is stored yet`);
  else findings.ok("dimensions", `${wanted} for new stores; all existing stores have their own models`);
  if (version >= 2 && models.length > 0) findings.ok("models", describeModels(models, config.embedding.model));
}

function describeModels(models: readonly ModelInUse[], ofSettings: string): string {
  const shown = models.slice(0, shownModels).map(({ model, dimensions, stores }) => {
    const name = model === null ? `the configured model (now "${ofSettings}")` : `"${model}"`;
    return printable(
      `${name}, ${dimensions === null ? "dimensions unknown" : counted(dimensions, "dimension")}: ${counted(stores, "store")}`,
    );
  });
  const more = models.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** The first migration with keys of the service. */
const firstWithKeys = 9;

/**
 * LiteLLM's registry should hold a key that may only search, or acts as whoever LiteLLM says: through LiteLLM, every
 * virtual key acts with it.
 */
export async function checkRegistryKey({ probe, config, tables, version, findings }: Stored): Promise<void> {
  if (config.embedding.baseUrl === null || version < firstWithKeys) return;
  const { search, asUsers } = await probe.look((tx) => countRegistryKeys(tx, tables));
  if (asUsers > 0 && config.access.identitySecrets.length === 0) {
    findings.warn(
      "registry",
      `${counted(asUsers, "key")} for LiteLLM's vector_store_registry that this server refuses: it has no LITELLM_IDENTITY_SECRET`,
      "Set the secret that LiteLLM's callback has; see: vector-store litellm-config --identity",
    );
  } else if (search + asUsers > 0) {
    findings.ok(
      "registry",
      `${counted(search + asUsers, "key")} for LiteLLM's vector_store_registry; to search: ${search}, as its users: ${asUsers}`,
    );
  } else {
    findings.warn(
      "registry",
      "there is no key that may only search, for LiteLLM's vector_store_registry",
      "If LiteLLM has this server in its registry, give it one: vector-store keys create 'litellm registry' --scope search. " +
        "With another key, each of LiteLLM's virtual keys can change and delete the vector stores.",
    );
  }
}

/** Counts stores and embeddings, and compares the count with the stores' counters. */
export async function checkContents({ probe, tables, version, findings }: Stored): Promise<void> {
  let contents: Contents;
  try {
    contents = await probe.look((tx) => countContents(tx, tables, version));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    findings.warn("contents", `could not be counted: ${error.message}`, "Try again when the database is less busy.");
    return;
  }
  const { stores, embeddings, recorded } = contents;
  const message = `${counted(stores, "vector store")}, ${counted(embeddings, "embedding")}`;
  if (recorded === null || recorded === embeddings) findings.ok("contents", message);
  else {
    findings.warn(
      "contents",
      `${message}, but the stores' counters add up to ${recorded}`,
      "Another program writes to the table. For searches to find its rows and to correct the counters, restart the server or run " +
        '"vector-store reindex ID" (--all for every store).',
    );
  }
}
