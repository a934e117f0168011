import { once } from "node:events";
import type pg from "pg";
import { from, to } from "pg-copy-streams";

/**
 * COPY as a query like any other, in PostgreSQL's binary form: `COPY … FROM STDIN (FORMAT binary)` takes all rows as
 * one block of bytes, its only parameter; `COPY … TO STDOUT (FORMAT binary)` answers with one row whose `bytes` are all
 * rows.
 */
export interface CopyResult {
  command: "COPY";
  rowCount: number;
  rows: { bytes: Buffer }[];
}

export const isCopy = (text: string): boolean => text.startsWith("COPY ");

/** @throws the server's error, or the connection's, like `client.query`. */
export async function runCopy(client: pg.PoolClient, text: string, values: readonly unknown[]): Promise<CopyResult> {
  const [given] = values;
  if (Buffer.isBuffer(given)) {
    const stream = client.query(from(text));
    const finished = once(stream, "finish");
    stream.end(given);
    await finished;
    return { command: "COPY", rowCount: stream.rowCount, rows: [] };
  }
  // `pg` puts the time limit of a query into its callback, which this kind of stream neither has nor calls.
  const query = Object.assign(to(text), { callback: (): void => undefined });
  const parts: Buffer[] = [];
  try {
    for await (const part of client.query(query)) parts.push(part as Buffer);
  } finally {
    query.callback();
  }
  return { command: "COPY", rowCount: query.rowCount, rows: [{ bytes: Buffer.concat(parts) }] };
}
