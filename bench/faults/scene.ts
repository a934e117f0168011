import { hashText } from "../../src/litellm/hashing.js";
import { seededRandom } from "../data.js";
import type { Client } from "./client.js";
import { type Ledger, createLedger } from "./ledger.js";

/** Few, because these campaigns are about what is stored, not about how near it is. */
export const dimensions = 16;

/** A store that is written to, and everything that was sent to it. */
export interface Scene {
  storeId: string;
  /** Begins the names of its files and the ids of its rows, which are unique in the whole service. */
  name: string;
  ledger: Ledger;
  /** A number that nothing else of the scene has. */
  next(): number;
}

export async function createScene(client: Client, name: string): Promise<Scene> {
  const { id } = await client.ask<{ id: string }>("POST", "/v1/vector_stores", { json: { name } });
  let last = 0;
  return { storeId: id, name, ledger: createLedger(), next: () => ++last };
}

export interface SentRow {
  id: string;
  content: string;
  metadata: Record<string, unknown>;
  /** Base64; null: the server embeds the content. */
  embedding: string | null;
}

const base64 = (vector: Float32Array) =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

/** Base64 of the vector that the built-in embedder makes of a text. */
export const embed = (content: string) => base64(hashText(content, dimensions));

/** Content with characters of one to four bytes, and a metadata value of every type. */
export function makeRow(id: string, batch: number, random: () => number): SentRow {
  const content = `${id} ${"ü€🂡 w".repeat(Math.floor(random() * 30))}`;
  const metadata = {
    batch,
    half: random() < 0.5,
    share: Math.floor(random() * 1e6) / 1e3,
    tags: ["a", id],
    none: null,
  };
  const own = base64(Float32Array.from({ length: dimensions }, () => random() - 0.5));
  return { id, content, metadata, embedding: random() < 0.7 ? own : null };
}

/** How a row is sent. */
export const wireRow = ({ embedding, ...row }: SentRow) => ({ ...row, ...(embedding === null ? {} : { embedding }) });

/** A row as the ledger remembers it: its content, metadata and vector. */
export const rowValue = (content: string, metadata: Record<string, unknown>, embedding: string) =>
  JSON.stringify([content, Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)), embedding]);

export const rowKey = (id: string) => `row ${id}`;
export const fileKey = (filename: string) => `file ${filename}`;
export const attachedKey = (filename: string) => `attached ${filename}`;
export const attachedValue = "attached";

export const rowChange = (row: SentRow) => ({
  key: rowKey(row.id),
  value: rowValue(row.content, row.metadata, row.embedding ?? embed(row.content)),
});

/** The text of a file, from its name alone. Every paragraph is different, so a lost or doubled chunk shows. */
export function textOf(filename: string): string {
  const [, seed = "1", length = "5"] = /(\d+)-(\d+)\.txt$/.exec(filename) ?? [];
  const random = seededRandom(Number(seed));
  const words = () => Array.from({ length: 8 }, () => Math.floor(random() * 36 ** 5).toString(36)).join(" ");
  return Array.from({ length: Number(length) }, (_, i) => `${filename} ${i} ${words()}.`).join("\n\n");
}

/** A name for a new file; its end says how many paragraphs it has. */
export function newFilename(scene: Scene, random: () => number): string {
  const paragraphs = random() < 0.15 ? 150 + Math.floor(random() * 250) : 1 + Math.floor(random() * 25);
  return `${scene.name}-${scene.next()}-${paragraphs}.txt`;
}
