import pg from "pg";
import { toSql } from "pgvector";
import { registerTypes } from "pgvector/pg";
import { decodeSentVector, encodeVector, encodeVectorArray } from "../src/engines/pgvector/binary.js";
import { cleanUp } from "./cleanup.js";
import { createSource } from "./data.js";
import { type Target, createTarget } from "./database.js";
import { percentiles } from "./load.js";
import { type Report, atLeast, makeTable } from "./results.js";

export interface VectorFormsOptions {
  databaseUrl: string;
  rows: number;
  rounds: number;
}

const dimensions = 1536;

/** One connection. */
interface Session {
  query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;
  /** From then on, the package parses every vector that comes as text. */
  register: () => Promise<void>;
  close: () => Promise<unknown>;
}

/** What a client does with vectors, in binary and with the package pgvector; each gives numbers to compare. */
type Work = (session: Session, vectors: readonly Float32Array[]) => Promise<readonly ArrayLike<number>[]>;

const works: { what: string; ours: Work; theirs: Work }[] = [
  {
    what: "write a batch",
    ours: (session, vectors) =>
      write(session, "SELECT * FROM unnest($1::vector[])", encodeVectorArray(vectorOid, vectors)),
    theirs: (session, vectors) =>
      write(
        session,
        "SELECT u::vector FROM unnest($1::text[]) AS u",
        vectors.map((vector) => String(toSql([...vector]))),
      ),
  },
  {
    what: "read a page",
    ours: async (session) => {
      const { rows } = await session.query("SELECT encode(vector_send(v), 'base64') AS v FROM forms ORDER BY n");
      return rows.map((row) => decodeSentVector(row.v as string));
    },
    theirs: async (session) => {
      const { rows } = await session.query("SELECT v FROM forms ORDER BY n");
      return rows.map((row) => Float32Array.from(row.v as number[]));
    },
  },
  {
    what: "one vector as a parameter, for each",
    ours: (session, vectors) => askEach(session, vectors, encodeVector),
    theirs: (session, vectors) => askEach(session, vectors, (vector) => String(toSql([...vector]))),
  },
];

let vectorOid = 0;

async function write(session: Session, rows: string, parameter: unknown) {
  await session.query("TRUNCATE forms");
  await session.query(`INSERT INTO forms (v) ${rows}`, [parameter]);
  return [];
}

async function askEach(session: Session, vectors: readonly Float32Array[], encode: (vector: Float32Array) => unknown) {
  for (const vector of vectors) await session.query("SELECT vector_dims($1::vector)", [encode(vector)]);
  return [];
}

/**
 * The binary format of `engines/pgvector/binary.ts` against the package `pgvector` (`toSql`, `registerTypes`), in turn
 * on the same connection. CPU time is this process': on the embedded database it includes the database.
 */
export async function benchVectorForms({ databaseUrl, rows, rounds }: VectorFormsOptions): Promise<Report> {
  const source = createSource("dense", dimensions);
  const vectors = Array.from({ length: rows }, (_, n) => source.row(n).vector);
  const target = await createTarget(databaseUrl);
  const session = await openSession(target);
  await session.query("CREATE EXTENSION IF NOT EXISTS vector");
  await session.query("CREATE TABLE forms (n bigint GENERATED ALWAYS AS IDENTITY, v vector)");
  const about = await session.query(
    "SELECT current_setting('server_version') AS server, extversion AS pgvector, 'vector'::regtype::oid::int AS oid FROM pg_extension WHERE extname = 'vector'",
  );
  const { server, pgvector, oid } = about.rows[0] ?? {};
  vectorOid = Number(oid);
  await session.register();
  const cases = [];
  for (const work of works) {
    const times = { ours: [] as Time[], theirs: [] as Time[] };
    // The first round is the warm-up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const form of ["ours", "theirs"] as const) {
        const time = await timed(async () => {
          requireSame(await work[form](session, vectors), vectors);
        });
        if (round > 0) times[form].push(time);
      }
    }
    cases.push({ what: work.what, ours: medians(times.ours), theirs: medians(times.theirs) });
    console.error(`${work.what}: ${JSON.stringify(cases.at(-1))}`);
  }
  await session.close();
  await cleanUp();
  return {
    kind: "vectors",
    title: "Forms of a vector",
    version: "0.1.0",
    database: `${target.kind === "pglite" ? "PGlite, PostgreSQL" : "PostgreSQL"} ${String(server)} + pgvector ${String(pgvector)}`,
    notes: [`${rows.toLocaleString("en")} vectors of ${dimensions} dimensions; medians of ${rounds} rounds.`],
    tables: [
      makeTable(
        "",
        [
          "",
          "binary ms:fraction",
          "package ms:fraction",
          "ratio:fraction",
          "binary CPU ms:fraction",
          "package:fraction",
        ],
        cases.map(({ what, ours, theirs }) => [
          what,
          ours.elapsed,
          theirs.elapsed,
          theirs.elapsed / ours.elapsed,
          ours.cpu,
          theirs.cpu,
        ]),
      ),
    ],
    goals: cases.map(({ what, ours, theirs }) =>
      atLeast(`${what}: time with the package relative to binary`, 1.3, theirs.elapsed / ours.elapsed, "fraction"),
    ),
  };
}

/** @throws unless what was read are the vectors, number by number */
function requireSame(read: readonly ArrayLike<number>[], vectors: readonly Float32Array[]): void {
  for (const [i, vector] of read.entries()) {
    if (!vectors[i]?.every((number, place) => Object.is(number, vector[place]))) throw new Error(`row ${i} differs`);
  }
}

/** Milliseconds. */
interface Time {
  elapsed: number;
  cpu: number;
}

async function timed(work: () => Promise<void>): Promise<Time> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { elapsed: performance.now() - begun, cpu: (user + system) / 1000 };
}

const medians = (times: readonly Time[]): Time => ({
  elapsed: percentiles(times.map((each) => each.elapsed)).p50,
  cpu: percentiles(times.map((each) => each.cpu)).p50,
});

async function openSession({ environment }: Target): Promise<Session> {
  if (environment.DATABASE_URL !== undefined) {
    const client = new pg.Client({ connectionString: environment.DATABASE_URL });
    await client.connect();
    return {
      query: (text, values) => client.query(text, values),
      register: () => registerTypes(client),
      close: () => client.end(),
    };
  }
  const { createPglitePool, openPglite } = await import("../src/db/connection/pglitePool.js");
  const pglite = await openPglite({});
  // It teaches PGlite to take parameters in binary.
  const pool = await createPglitePool(pglite);
  const query: Session["query"] = (text, values = []) => pglite.query<Record<string, unknown>>(text, values);
  const setTypeParser = (oid: number, _format: string, parse: (text: string) => unknown) => {
    pglite.parsers[oid] = parse;
  };
  return {
    query,
    register: () => registerTypes({ query, setTypeParser }),
    close: () => pool.end(),
  };
}
