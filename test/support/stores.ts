import type { StoreInput } from "../../src/core/stores/stores.js";
import type { Embedder, Litellm } from "../../src/litellm/contract.js";
import { createLitellm } from "../../src/litellm/litellm.js";
import { loadConfig } from "../../src/process/config.js";
import type { NewVectorStore } from "../../src/words/store.js";
import { createLog } from "../../src/process/log.js";
import { createMetrics } from "../../src/process/metrics.js";
import { testDimensions, testKey } from "./settings.js";
import { testVector } from "./vectors.js";
import { type TestService } from "./service.js";
import { noPrompts } from "../../src/words/prompts.js";

/** The built-in LiteLLM stand-in with replaced parts of its embedder. */
export function stubLitellm(overrides: Partial<Embedder>): Litellm {
  const config = loadConfig({ EMBEDDING__DIMENSIONS: String(testDimensions) });
  const usual = createLitellm(config.embedding, createLog("silent"), createMetrics());
  return {
    ...usual,
    embedder: { ...usual.embedder, ...overrides },
    embedderFor: (choice) => ({ ...usual.embedderFor(choice), ...overrides }),
  };
}

/**
 * A model that keeps the texts it was asked for. Tests empty `asked` themselves.
 * @param seedOf of the vector of a text; `index`: its place in the call
 */
export function recordingLitellm(seedOf: (text: string, index: number, asked: readonly string[]) => number): {
  litellm: Litellm;
  asked: string[];
} {
  const asked: string[] = [];
  const vectorOf = (text: string, i: number) => Float32Array.from(testVector(seedOf(text, i, asked), testDimensions));
  const litellm = stubLitellm({
    embed: (texts) => {
      asked.push(...texts);
      return Promise.resolve(texts.map(vectorOf));
    },
  });
  return { litellm, asked };
}

/** The fields of a new store besides its name and description: no model, no settings. */
export const ofSettings = {
  embeddingModel: null,
  embeddingDimensions: testDimensions,
  asksDimensions: false,
  prompts: noPrompts,
  search: {},
};

/** A new store for the tables. */
export const newStore = (given: Partial<NewVectorStore> = {}): NewVectorStore => ({
  ...{ name: "a", description: null, metadata: null, expiresAfter: null },
  ...ofSettings,
  ...given,
});

/** A new store for the use cases, which choose its model. */
export const storeInput = (name: string): StoreInput => ({
  ...newStore({ name }),
  model: { model: null, dimensions: null },
});

export interface Row {
  id?: string;
  content: string;
  embedding?: number[] | string | null;
  metadata?: Record<string, unknown> | null;
}

/** A row whose embedding has a unique direction. */
export const rowOf = (seed: number, extra: Partial<Row> = {}): Row => ({
  content: `row ${seed}`,
  embedding: testVector(seed, testDimensions),
  ...extra,
});

export const rowsOf = (count: number, extra: (seed: number) => Partial<Row> = () => ({})): Row[] =>
  Array.from({ length: count }, (_, i) => rowOf(i + 1, extra(i + 1)));

export async function createStore(service: TestService, body: object = {}): Promise<string> {
  return ((await service.post("/v1/vector_stores", body).expect(200)).body as { id: string }).id;
}

export const batchPath = (storeId: string) => `/v1/vector_stores/${storeId}/embeddings/batch`;
export const rowsPath = (storeId: string) => `/v1/vector_stores/${storeId}/embeddings`;

export interface Stored {
  id: string;
  content: string;
  metadata: Record<string, unknown>;
  embedding: number[];
}

/** All rows of a store in id order, page by page through the API. */
export async function storedRows(service: TestService, storeId: string): Promise<Stored[]> {
  const rows: Stored[] = [];
  for (let after = ""; ;) {
    const query = `limit=1000&order=asc&include=embedding${after === "" ? "" : `&after=${encodeURIComponent(after)}`}`;
    const body = await bodyOf(service.get(`${rowsPath(storeId)}?${query}`).expect(200));
    const page = body as { data: Stored[]; has_more: boolean; last_id: string };
    rows.push(...page.data);
    if (!page.has_more) return rows;
    after = page.last_id;
  }
}

/** The store's own counters. */
export async function countsOf(service: TestService, storeId: string): Promise<{ rows: number; bytes: number }> {
  const body = await bodyOf(service.get(`/v1/vector_stores/${storeId}`).expect(200));
  const store = body as { usage_bytes: number; file_counts: { completed: number; total: number } };
  if (store.file_counts.completed !== store.file_counts.total) throw new Error("completed and total differ");
  return { rows: store.file_counts.total, bytes: store.usage_bytes };
}

/** Number of rows in the table, of one store or of all, regardless of counters. */
export async function rowsInTable(service: TestService, storeId?: string): Promise<number> {
  const [row] = await service.database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM embeddings WHERE $1::text IS NULL OR vector_store_id = $1",
    [storeId ?? null],
  );
  return row?.n ?? -1;
}

export const bytesOf = (rows: readonly { content: string }[]) =>
  rows.reduce((sum, row) => sum + Buffer.byteLength(row.content), 0);

export const errorOf = (answer: { body: unknown }) =>
  (answer.body as { error: { message: string; type: string; param: string | null; code: string | null } }).error;

export interface RawAnswer {
  status: number;
  body: unknown;
  text: string;
}

/** A POST with exactly this text. */
export async function postText(
  service: TestService,
  path: string,
  text: string,
  contentType = "application/json",
): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${testKey}`, "content-type": contentType };
  const answer = await fetch(service.url + path, { method: "POST", headers, body: text });
  const received = await answer.text();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: answer.status, text: received, body: isJson ? JSON.parse(received) : null };
}

export async function bodyOf(answer: PromiseLike<{ body: unknown }>): Promise<unknown> {
  return (await answer).body;
}

/** A search result, with the fields that tests use. */
export interface Found {
  id: string;
  score: number;
  content: { type: string; text: string }[];
  metadata: Record<string, unknown> | null;
  vector_rank: number | null;
  keyword_rank: number | null;
}

export const searchPath = (storeId: string) => `/v1/vector_stores/${storeId}/search`;

export async function searchStore(
  service: TestService,
  storeId: string,
  query: string | string[],
  body: object = {},
): Promise<Found[]> {
  const answer = await bodyOf(service.post(searchPath(storeId), { query, ...body }).expect(200));
  return (answer as { data: Found[] }).data;
}

/** Runs rounds of index upkeep until nothing is left to do. */
export async function settle(service: TestService): Promise<void> {
  while ((await service.deps.engine.upkeep(() => Promise.resolve(true))) > 0);
}
