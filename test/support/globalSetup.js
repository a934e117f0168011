import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import swc from "@swc/core";
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/**
 * With TEST_DATABASE_URL the suite runs on that PostgreSQL. Otherwise one empty embedded database is made here (initdb takes
 * seconds) and dumped; every test file starts from the dump.
 */
export default async function setup() {
  const directory = mkdtempSync(join(tmpdir(), "vector-store-test-"));
  process.env.TEST_READING_THREAD = await compileReading(join(directory, "program"));
  if (process.env.TEST_DATABASE_URL) return;
  const pglite = await PGlite.create({ extensions: { vector } });
  await pglite.exec("CREATE EXTENSION IF NOT EXISTS vector");
  const dump = await pglite.dumpDataDir("none");
  process.env.TEST_PGLITE_DUMP = join(directory, "empty.tar");
  writeFileSync(process.env.TEST_PGLITE_DUMP, Buffer.from(await dump.arrayBuffer()));
  await pglite.close();
}

/** A worker thread is started from a file of JavaScript: what reads documents is compiled once for all tests. @returns its entry */
async function compileReading(program) {
  const src = resolve("src");
  const rooms = /^(reading|formats|chunking|words|numbers)\//;
  for (const file of readdirSync(src, { recursive: true })) {
    if (!file.endsWith(".ts") || !rooms.test(file)) continue;
    const { code } = await swc.transformFile(join(src, file), {
      swcrc: false,
      jsc: { parser: { syntax: "typescript" }, target: "es2022" },
      module: { type: "es6" },
    });
    const target = join(program, "src", file.replace(/ts$/, "js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  symlinkSync(resolve("node_modules"), join(program, "node_modules"));
  writeFileSync(join(program, "package.json"), '{"type":"module"}');
  return join(program, "src/reading/thread.js");
}
