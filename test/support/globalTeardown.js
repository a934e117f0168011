import { rmSync } from "node:fs";

export default function teardown() {
  rmSync(process.env.TEST_DIRECTORY, { recursive: true, force: true });
}
