import { z } from "zod";
import { invalid } from "../words/errors.js";
import type { TransferStore } from "../words/rows.js";
import { momentValue } from "./rowColumns.js";
import type { Span } from "./jsonFields.js";

/**
 * A line of NDJSON that describes a store, before its rows: `{"object": "vector_store", "id", "name", …}`, with all its
 * settings, named like the API's fields. Nested JSON keeps its text.
 */
export function writeStoreLine(store: TransferStore): string {
  const json = (text: string | null) => text ?? "null";
  const parts: [string, string][] = [
    ["object", '"vector_store"'],
    ["id", JSON.stringify(store.id)],
    ["name", JSON.stringify(store.name)],
    ["description", JSON.stringify(store.description)],
    ["metadata", json(store.metadata)],
    ["owner_user_id", JSON.stringify(store.ownerUserId)],
    ["owner_team_id", JSON.stringify(store.ownerTeamId)],
    ["owner_key_id", JSON.stringify(store.ownerKeyId)],
    ["expires_after", json(store.expiresAfter)],
    ["created_at", JSON.stringify(store.createdAt === null ? null : store.createdAt / 1e6)],
    ["embedding_model", JSON.stringify(store.embeddingModel)],
    ["embedding_dimensions", JSON.stringify(store.embeddingDimensions)],
    ["asks_dimensions", JSON.stringify(store.asksDimensions)],
    ["embedding_prompts", json(store.prompts)],
    ["search_settings", json(store.search)],
  ];
  return `{${parts.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}

const text = z.string().nullish();
const line = z.object({
  id: z.string().min(1),
  name: text,
  description: text,
  owner_user_id: text,
  owner_team_id: text,
  owner_key_id: text,
  created_at: z.unknown(),
  embedding_model: text,
  embedding_dimensions: z.int().min(1).nullish(),
  asks_dimensions: z.boolean().nullish(),
  embedding_prompts: z
    .object({
      queryPrefix: z.string(),
      documentPrefix: z.string(),
      inputType: z.object({ query: z.string(), document: z.string() }).nullable(),
    })
    .nullish(),
});

/** Reads such a line. @param fields the places of its values. @throws ApiError 400 */
export function parseStoreLine(fields: ReadonlyMap<string, Span>, bytes: Buffer, at: string): TransferStore {
  const raw = (name: string) => {
    const span = fields.get(name);
    const found = span === undefined ? "null" : bytes.toString("utf8", span.start, span.end);
    return found === "null" ? null : found;
  };
  const parsed = line.safeParse(
    Object.fromEntries(Object.keys(line.shape).map((name) => [name, JSON.parse(raw(name) ?? "null") as unknown])),
  );
  if (!parsed.success)
    throw invalid(at, `is not a vector store: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
  const store = parsed.data;
  for (const name of ["metadata", "expires_after", "search_settings"]) JSON.parse(raw(name) ?? "null");
  return {
    id: store.id,
    name: store.name ?? "",
    description: store.description ?? null,
    metadata: raw("metadata"),
    ownerUserId: store.owner_user_id ?? null,
    ownerTeamId: store.owner_team_id ?? null,
    ownerKeyId: store.owner_key_id ?? null,
    expiresAfter: raw("expires_after"),
    createdAt: momentValue(store.created_at, at, "created_at"),
    embeddingModel: store.embedding_model ?? null,
    embeddingDimensions: store.embedding_dimensions ?? null,
    asksDimensions: store.asks_dimensions ?? false,
    prompts: raw("embedding_prompts"),
    search: raw("search_settings"),
  };
}
