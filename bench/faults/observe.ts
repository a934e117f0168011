import type { Client } from "./client.js";
import type { Found } from "./ledger.js";
import { type Scene, attachedKey, attachedValue, embed, fileKey, rowKey, rowValue, textOf } from "./scene.js";

interface StoredRow {
  id: string;
  content: string;
  metadata: Record<string, unknown> & { file_id?: string; chunk_index?: number };
  embedding: string;
}

interface StoredFile {
  id: string;
  filename: string;
  status: "in_progress" | "completed" | "failed" | "cancelled";
  bytes: number;
  last_error: { message: string } | null;
}

interface StoreState {
  usage_bytes: number;
  file_counts: { total: number };
}

export interface Observation {
  found: Found;
  /** Files that are still being ingested; their chunks were not compared. */
  inProgress: number;
  /** What contradicts itself. */
  problems: string[];
}

/** Everything the server has of a scene, and whether it agrees with itself. Nobody may be writing meanwhile. */
export async function observe(client: Client, scene: Scene): Promise<Observation> {
  const store = `/v1/vector_stores/${scene.storeId}`;
  // Files first: those that are complete now have all their chunks in what is read next.
  const attached = await everyPage<StoredFile>(client, `${store}/files?limit=100&order=asc`);
  const rows = await everyPage<StoredRow>(
    client,
    `${store}/embeddings?limit=1000&order=asc&include=embedding&encoding_format=base64`,
  );
  const all = await everyPage<StoredFile>(client, "/v1/files?limit=10000&order=asc");
  const { file_counts, usage_bytes } = await client.ask<StoreState>("GET", store);

  const found = new Map<string, string[]>();
  const add = (key: string, value: string) => found.set(key, [...(found.get(key) ?? []), value]);
  const chunks = new Map<string, StoredRow[]>();
  let ownRows = 0;
  let bytes = 0;
  for (const row of rows) {
    bytes += Buffer.byteLength(row.content);
    const { file_id } = row.metadata;
    if (file_id === undefined) {
      ownRows += 1;
      add(rowKey(row.id), rowValue(row.content, row.metadata, row.embedding));
    } else chunks.set(file_id, [...(chunks.get(file_id) ?? []), row]);
  }
  for (const file of attached) add(attachedKey(file.filename), attachedValue);
  for (const file of all.filter(({ filename }) => filename.startsWith(`${scene.name}-`))) {
    add(fileKey(file.filename), String(file.bytes));
  }

  const inProgress = attached.filter(({ status }) => status === "in_progress").length;
  const problems = attached.flatMap((file) => problemsOf(file, chunks.get(file.id) ?? []));
  for (const id of chunks.keys()) {
    if (!attached.some((file) => file.id === id)) problems.push(`chunks of ${id}, which is not attached`);
  }
  if (file_counts.total !== ownRows + attached.length) {
    problems.push(`file_counts.total is ${file_counts.total}; there are ${ownRows} rows and ${attached.length} files`);
  }
  if (inProgress === 0 && usage_bytes !== bytes) {
    problems.push(`usage_bytes is ${usage_bytes}; what is listed has ${bytes}`);
  }
  return { found, inProgress, problems };
}

function problemsOf(file: StoredFile, chunks: readonly StoredRow[]): string[] {
  if (file.status === "in_progress") return [];
  if (file.status !== "completed") return [`${file.filename} is ${file.status}: ${file.last_error?.message ?? ""}`];
  const ordered = [...chunks].sort((a, b) => (a.metadata.chunk_index ?? 0) - (b.metadata.chunk_index ?? 0));
  const problems: string[] = [];
  if (ordered.map(({ content }) => content).join("") !== textOf(file.filename)) {
    problems.push(`${file.filename} has ${chunks.length} chunks, which do not make up its text`);
  }
  const wrong = ordered.filter(({ content, embedding }) => embed(content) !== embedding).length;
  if (wrong > 0) problems.push(`${file.filename}: ${wrong} chunks have the vector of another text`);
  return problems;
}

async function everyPage<T extends { id: string }>(client: Client, path: string): Promise<T[]> {
  const found: T[] = [];
  for (let after = ""; ;) {
    const page = await client.ask<{ data: T[]; has_more: boolean; last_id: string }>("GET", `${path}${after}`);
    found.push(...page.data);
    if (!page.has_more) return found;
    after = `&after=${encodeURIComponent(page.last_id)}`;
  }
}
