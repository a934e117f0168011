import type { IdType, Layout } from "../../db/columns.js";

/** A chunk as it is recorded: texts and bytes, nothing parsed, so nothing can be lost. */
export interface StoredChunk {
  id: string;
  storeId: string;
  content: string;
  /** JSON text. */
  metadata: string;
  /** float32 numbers in network order. */
  vector: Buffer;
  /** Unix microseconds. */
  createdAt: number;
}

const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
/** Flags, and the length of what else the header has. */
const headerLength = signature.length + 8;
const fieldsOfRow = 6;

/** PostgreSQL's time begins at 2000-01-01. */
const epochMicros = 946_684_800_000_000n;

/** Bytes of a text, whose length must be known before it is written. */
interface Field {
  size: number;
  write: (buffer: Buffer, at: number) => void;
}

/**
 * Rows of the embeddings table in the form of COPY … (FORMAT binary), columns in the order of `insertColumns`
 * (https://www.postgresql.org/docs/current/sql-copy.html). Ids must be such as their columns can hold.
 */
export function encodeCopy({ embeddings: e }: Layout, chunks: readonly StoredChunk[]): Buffer {
  const rows = chunks.map((chunk): Field[] => [
    idField(e.idType, chunk.id),
    idField(e.vectorStoreIdType, chunk.storeId),
    textField(chunk.content),
    vectorField(chunk.vector),
    e.metadataType === "jsonb" ? jsonbField(chunk.metadata) : textField(chunk.metadata),
    bigintField(BigInt(chunk.createdAt) - epochMicros),
  ]);
  const size = rows.flat().reduce((sum, field) => sum + 4 + field.size, headerLength + 2 * rows.length + 2);
  const buffer = Buffer.allocUnsafe(size);
  signature.copy(buffer);
  buffer.fill(0, signature.length, headerLength);
  let at = headerLength;
  for (const fields of rows) {
    at = buffer.writeInt16BE(fieldsOfRow, at);
    for (const field of fields) {
      at = buffer.writeInt32BE(field.size, at);
      field.write(buffer, at);
      at += field.size;
    }
  }
  buffer.writeInt16BE(-1, at);
  return buffer;
}

function idField(type: IdType, id: string): Field {
  if (type === "text") return textField(id);
  if (type === "bigint") return bigintField(BigInt(id));
  return { size: 16, write: (buffer, at) => buffer.write(id.replaceAll("-", ""), at, "hex") };
}

const textField = (text: string): Field => ({
  size: Buffer.byteLength(text),
  write: (buffer, at) => buffer.write(text, at, "utf8"),
});

/** `jsonb_recv`: the version of the form, then text. */
const jsonbField = (text: string): Field => ({
  size: 1 + Buffer.byteLength(text),
  write: (buffer, at) => buffer.write(text, buffer.writeInt8(1, at), "utf8"),
});

const bigintField = (value: bigint): Field => ({ size: 8, write: (buffer, at) => buffer.writeBigInt64BE(value, at) });

/** `vector_recv`: int16 dimensions, int16 zero, then the numbers. */
const vectorField = (vector: Buffer): Field => ({
  size: 4 + vector.length,
  write: (buffer, at) => vector.copy(buffer, buffer.writeInt16BE(0, buffer.writeInt16BE(vector.length / 4, at))),
});
