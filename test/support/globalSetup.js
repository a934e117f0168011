import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * With TEST_DATABASE_URL the suite runs on that PostgreSQL. Otherwise one empty embedded database is made here (initdb takes
 * seconds) and dumped; every test file starts from the dump.
 */
export default async function setup() {
  if (process.env.TEST_DATABASE_URL) return;
  const directory = mkdtempSync(join(tmpdir(), "vector-store-test-"));
  const pglite = await PGlite.create({ extensions: { vector } });
  await pglite.exec("CREATE EXTENSION IF NOT EXISTS vector");
  const dump = await pglite.dumpDataDir("none");
  process.env.TEST_PGLITE_DUMP = join(directory, "empty.tar");
  writeFileSync(process.env.TEST_PGLITE_DUMP, Buffer.from(await dump.arrayBuffer()));
  await pglite.close();
}
