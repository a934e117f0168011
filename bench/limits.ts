import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeArray, encodeTextArray, encodeVector } from "../src/engines/pgvector/binary.js";
import { newId } from "../src/ids.js";
import type { Row } from "./data.js";
import type { RawDatabase } from "./database.js";

/** What the database takes in without the service, into a table equal to `embeddings`: columns, storage, indexes, foreign key. */

export const limitTable = "bench_limit";
const columns = "id, vector_store_id, content, embedding, metadata, created_at";

export async function createLimitTable(raw: RawDatabase): Promise<void> {
  await raw.query(`CREATE TABLE ${limitTable} (LIKE embeddings INCLUDING ALL)`);
  await raw.query(`ALTER TABLE ${limitTable}
    ADD FOREIGN KEY (vector_store_id) REFERENCES vector_stores (id) ON UPDATE CASCADE ON DELETE CASCADE`);
}

/** The service's INSERT, one binary array a column, by a bare client. Encoding the rows is part of it. */
export async function createBareInsert(
  raw: RawDatabase,
  storeId: string,
): Promise<(rows: readonly Row[]) => Promise<unknown>> {
  const [type] = await raw.query<{ oid: number }>("SELECT 'vector'::regtype::oid::int AS oid");
  const text = `
    INSERT INTO ${limitTable} (${columns})
    SELECT u.id, $1::text, u.content, u.embedding, u.metadata::jsonb, now()
    FROM unnest($2::text[], $3::text[], $4::vector[], $5::text[]) WITH ORDINALITY AS u(id, content, embedding, metadata, n)
    ORDER BY u.n
    ON CONFLICT (id) DO NOTHING
    RETURNING id`;
  const vectorOid = type?.oid ?? 0;
  return (rows) =>
    raw.query(text, [
      storeId,
      encodeTextArray(rows.map(() => newId("emb_"))),
      encodeTextArray(rows.map((row) => row.content)),
      encodeArray(
        vectorOid,
        rows.map((row) => encodeVector(row.vector)),
      ),
      encodeTextArray(rows.map((row) => JSON.stringify(row.metadata))),
    ]);
}

/** False where there is no psql: then COPY is not measured. */
export function hasPsql(psql: string): boolean {
  try {
    execFileSync(psql, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Writes the rows as a binary COPY file; the function copies them in with psql and returns the milliseconds that psql timed. */
export async function createCopy(
  psql: string,
  databaseUrl: string,
  directory: string,
  storeId: string,
  rows: readonly Row[],
): Promise<() => number> {
  const file = join(directory, "rows.copy");
  await writeFile(file, copyFile(storeId, rows));
  const { hostname, port, username, password, pathname, searchParams } = new URL(databaseUrl);
  const environment = {
    PATH: process.env.PATH,
    PGHOST: hostname,
    PGPORT: port === "" ? "5432" : port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
    PGSSLMODE: searchParams.get("sslmode") ?? "prefer",
  };
  const copy = `\\copy ${limitTable} (${columns}) FROM '${file}' WITH (FORMAT binary)`;
  return () => {
    const output = execFileSync(psql, ["-X", "-v", "ON_ERROR_STOP=1", "-c", "\\timing on", "-c", copy], {
      env: environment,
      encoding: "utf8",
    });
    const time = /Time: ([\d.]+) ms/.exec(output)?.[1];
    if (time === undefined || !output.includes(`COPY ${rows.length}`)) throw new Error(`psql said: ${output}`);
    return Number(time);
  };
}

/** https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". */
function copyFile(storeId: string, rows: readonly Row[]): Buffer {
  const parts: Buffer[] = [Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)];
  const int = (value: number, bytes: 2 | 4) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeIntBE(value, 0, bytes);
    return buffer;
  };
  const now = Buffer.alloc(8);
  // Microseconds since 2000-01-01.
  now.writeBigInt64BE(BigInt(Date.now() - Date.UTC(2000, 0, 1)) * 1000n);
  for (const row of rows) {
    const fields = [
      Buffer.from(newId("emb_")),
      Buffer.from(storeId),
      Buffer.from(row.content),
      encodeVector(row.vector),
      // jsonb: the version of the form, then text.
      Buffer.from(`\x01${JSON.stringify(row.metadata)}`),
      now,
    ];
    parts.push(int(fields.length, 2), ...fields.flatMap((field) => [int(field.length, 4), field]));
  }
  return Buffer.concat([...parts, int(-1, 2)]);
}
