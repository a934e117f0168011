import { rmSync } from "node:fs";
import { dirname } from "node:path";

export default function teardown() {
  if (process.env.TEST_PGLITE_DUMP) rmSync(dirname(process.env.TEST_PGLITE_DUMP), { recursive: true, force: true });
}
