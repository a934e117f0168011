import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that the test files of one run share; see program.ts and databaseSetup.js. */
export default function setup() {
  process.env.TEST_DIRECTORY ??= mkdtempSync(join(tmpdir(), "vector-store-test-"));
}
