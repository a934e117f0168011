import type { StoredChunk } from "../../words/rows.js";
import type { Layout } from "../../db/schema/layout.js";
import type { IdType } from "../../db/schema/ids.js";

const signature = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
/** The signature, the flags, and the length of the header extension. */
const headerLength = signature.length + 8;
/** Bytes for the number of fields and the length of each. */
const rowHead = 2 + 6 * 4;

/** PostgreSQL counts time from 2000-01-01. */
const epochMicros = 946_684_800_000_000n;

/**
 * Rows of the embeddings table in the format of COPY … (FORMAT binary), columns in the order of `insertColumns`
 * (https://www.postgresql.org/docs/current/sql-copy.html). The id columns must be able to hold the ids.
 */
export function encodeCopy({ embeddings: e }: Layout, chunks: readonly StoredChunk[]): Buffer {
  // The most bytes that the texts can take: counting exactly costs more than the memory.
  const most = chunks.reduce(
    (sum, { id, storeId, content, metadata, vector }) =>
      sum + rowHead + 3 * (id.length + storeId.length + content.length + metadata.length) + vector.length + 64,
    headerLength + 2,
  );
  const buffer = Buffer.allocUnsafe(most);
  signature.copy(buffer);
  buffer.fill(0, signature.length, headerLength);
  let at = headerLength;
  /** Writes a field, then its length before it. */
  const field = (write: (from: number) => number) => {
    const end = write(at + 4);
    buffer.writeInt32BE(end - at - 4, at);
    at = end;
  };
  const text = (value: string) => {
    field((from) => from + buffer.write(value, from, "utf8"));
  };
  const id = (type: IdType, value: string) => {
    if (type === "text") text(value);
    else if (type === "bigint") field((from) => buffer.writeBigInt64BE(BigInt(value), from));
    else field((from) => from + buffer.write(value.replaceAll("-", ""), from, "hex"));
  };
  for (const chunk of chunks) {
    at = buffer.writeInt16BE(6, at);
    id(e.idType, chunk.id);
    id(e.vectorStoreIdType, chunk.storeId);
    text(chunk.content);
    // `vector_recv`: int16 dimensions, int16 zero, then the numbers.
    field((from) => {
      const numbers = buffer.writeInt16BE(0, buffer.writeInt16BE(chunk.vector.length / 4, from));
      return numbers + chunk.vector.copy(buffer, numbers);
    });
    // `jsonb_recv`: the format version, then text.
    if (e.metadataType === "json") text(chunk.metadata);
    else
      field((from) => {
        const json = buffer.writeInt8(1, from);
        return json + buffer.write(chunk.metadata, json, "utf8");
      });
    field((from) => buffer.writeBigInt64BE(BigInt(chunk.createdAt) - epochMicros, from));
  }
  return buffer.subarray(0, buffer.writeInt16BE(-1, at));
}
