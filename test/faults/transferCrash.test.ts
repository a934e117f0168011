import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openPglite } from "../../src/db/connection/pglitePool.js";
import type { ExportAnswer, ImportAnswer } from "../cli/transferSupport.js";
import { testDimensions } from "../support/settings.js";
import { referenceTables } from "../support/litellmPgvector.js";
import { type ServerData, createServerData } from "../support/serverData.js";
import { onServer } from "../support/serverDatabase.js";
import { type Program, compileProgram } from "../support/serverProcess.js";

jest.setTimeout(600_000);

const count = 25_000;
/** Run with CRASHES=30 before a release. */
const crashes = Number(process.env.CRASHES ?? 5);

let program: Program;
let directory: string;
beforeAll(async () => {
  program = await compileProgram();
  directory = mkdtempSync(join(tmpdir(), "vector-store-transfer-"));
});
afterAll(async () => {
  await program.remove();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a command to its end. */
async function finish(
  { environment }: ServerData,
  args: readonly string[],
): Promise<{ answer: ImportAnswer & ExportAnswer; ms: number }> {
  const begun = performance.now();
  const process = program.run(environment, { args: [...args, "--json"] });
  const { code } = await process.exited;
  if (code !== 0) throw new Error(process.stderr());
  return { answer: JSON.parse(process.stdout()) as ImportAnswer & ExportAnswer, ms: performance.now() - begun };
}

/** Repeatedly runs a command and kills it with SIGKILL at a random moment; each run continues the previous one. */
async function killAtRandom({ environment }: ServerData, args: readonly string[], ms: number): Promise<void> {
  for (let crash = 0; crash < crashes; crash += 1) {
    const { child, exited } = program.run(environment, { args });
    const timer = setTimeout(() => child.kill("SIGKILL"), ms * (0.3 + 0.6 * Math.random()));
    await exited;
    clearTimeout(timer);
  }
}

async function query({ environment }: ServerData, sql: string): Promise<Record<string, unknown>[]> {
  const { DATABASE_URL: connectionString, DATA_DIR = "" } = environment;
  if (connectionString === undefined) {
    const pglite = await openPglite({ dataDir: join(DATA_DIR, "pglite") });
    return (await pglite.query<Record<string, unknown>>(sql).finally(() => pglite.close())).rows;
  }
  const client = new pg.Client({ connectionString });
  await client.connect();
  const result = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
  return result.rows;
}

const withData = async (work: (data: ServerData) => Promise<void>): Promise<void> => {
  const data = await createServerData();
  await work(data).finally(() => data.remove());
};

/** What must be true however often the import was killed. */
async function expectEachRowOnce(data: ServerData, answer: ImportAnswer, undisturbed: ImportAnswer): Promise<void> {
  expect(answer).toMatchObject({ finished: true, verified: true, rows: { read: count, skipped: 0 } });
  expect(answer.rows.added + answer.rows.duplicates).toBe(count);
  expect(answer.checksums).toEqual(undisturbed.checksums);
  const found = await query(
    data,
    `SELECT count(*)::int AS rows, count(DISTINCT metadata ->> 'n')::int AS different, bool_and(content = 'content ' || (metadata ->> 'n')) AS right,
            (SELECT chunk_count::int FROM vector_stores) AS counted,
            sum(octet_length(content))::int = (SELECT content_bytes FROM vector_stores) AS bytes,
            (SELECT count(*)::int FROM vector_store_vectors) AS vectors FROM embeddings`,
  );
  expect(found).toEqual([{ rows: count, different: count, right: true, counted: count, bytes: true, vectors: count }]);
}

async function importThroughCrashes(args: readonly string[]): Promise<void> {
  await withData(async (undisturbed) => {
    const { answer: expected, ms } = await finish(undisturbed, args);
    await withData(async (data) => {
      await killAtRandom(data, args, ms);
      const { answer } = await finish(data, args);
      await expectEachRowOnce(data, answer, expected);
    });
  });
}

describe("killed with SIGKILL at random moments", () => {
  test("an import of a file continues, and every row is stored once", async () => {
    const path = join(directory, "rows.ndjson");
    const line = (n: number) =>
      JSON.stringify({ content: `content ${n}`, embedding: [n, 1, 2, 3, 4, 5, 6, 7], metadata: { n } });
    writeFileSync(path, Array.from({ length: count }, (_, n) => line(n)).join("\n"));
    await importThroughCrashes(["import", path, "--store-name", "x"]);
  });

  (onServer ? test : test.skip)("an import from litellm-pgvector continues, and every row is stored once", () =>
    withData(async (source) => {
      await query(source, `CREATE EXTENSION IF NOT EXISTS vector`);
      await query(source, referenceTables(testDimensions));
      await query(
        source,
        `WITH s AS (INSERT INTO vector_stores (id, name) VALUES (gen_random_uuid()::text, 'x') RETURNING id)
         INSERT INTO embeddings (id, vector_store_id, content, embedding, metadata)
         SELECT gen_random_uuid()::text, s.id, 'content ' || n, ('[' || n || ',1,2,3,4,5,6,7]')::vector, jsonb_build_object('n', n)
         FROM s, generate_series(0, ${count - 1}) AS n`,
      );
      await importThroughCrashes(["import", "--from", source.environment.DATABASE_URL ?? ""]);
    }),
  );

  test("an export continues, and its file equals an undisturbed one's", () =>
    withData(async (data) => {
      const path = join(directory, "exported.ndjson");
      const line = (n: number) =>
        JSON.stringify({ content: `content ${n}`, embedding: [n, 1, 2, 3, 4, 5, 6, 7], metadata: { n } });
      writeFileSync(path, Array.from({ length: count }, (_, n) => line(n)).join("\n"));
      await finish(data, ["import", path, "--store-name", "x"]);
      for (const [ending, ...options] of [[".ndjson"], ["/", "--format", "ndjson.gz", "--rows-per-file", "8000"]]) {
        const [whole, broken] = [join(directory, `whole${ending ?? ""}`), join(directory, `broken${ending ?? ""}`)];
        const { answer: expected, ms } = await finish(data, ["export", "--all", "--output", whole, ...options]);
        const args = ["export", "--all", "--output", broken, ...options];
        await killAtRandom(data, args, ms);
        // An export that was not killed in time is complete, and the next would refuse to overwrite it.
        const { answer } = await finish(data, [...args, "--overwrite"]);
        expect(answer).toMatchObject({ rows: count, checksum: expected.checksum });
        const contents = (files: readonly string[]) =>
          files.filter((file) => !file.endsWith("manifest.json")).map((file) => readFileSync(file).toString("base64"));
        if (ending === ".ndjson") expect(contents(answer.files)).toEqual(contents(expected.files));
      }
    }));
});
