import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import setup from "./globalSetup.js";

/**
 * With TEST_DATABASE_URL the suites run on that PostgreSQL. Otherwise one empty embedded database is created here,
 * which takes seconds, and saved to a file that every suite starts from: without the template databases, which are two
 * thirds of its files.
 */
export default async function databaseSetup() {
  setup();
  if (process.env.TEST_DATABASE_URL) return;
  const pglite = await PGlite.create({ extensions: { vector } });
  await pglite.exec("CREATE EXTENSION IF NOT EXISTS vector");
  await pglite.exec("UPDATE pg_database SET datistemplate = false, datallowconn = true WHERE datname LIKE 'template%'");
  await pglite.exec("DROP DATABASE template0");
  await pglite.exec("DROP DATABASE template1");
  await pglite.exec("CHECKPOINT");
  const dump = await pglite.dumpDataDir("none");
  process.env.TEST_PGLITE_DUMP = join(process.env.TEST_DIRECTORY, "empty.tar");
  writeFileSync(process.env.TEST_PGLITE_DUMP, Buffer.from(await dump.arrayBuffer()));
  await pglite.close();
}
