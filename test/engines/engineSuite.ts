import { filesSuite } from "./suite/files.js";
import { findingSuite } from "./suite/finding.js";
import { limitsSuite } from "./suite/limits.js";
import { puttingSuite } from "./suite/putting.js";
import { recordsSuite } from "./suite/records.js";
import { type EngineUnderTest, openSuite } from "./suite/support.js";
import { truthSuite } from "./suite/truth.js";

/**
 * What every engine must do: the contract of engines/engine.ts as tests. An engine only brings a way to open it, and no
 * test makes an exception for one.
 */
export function describeEngine(name: string, open: () => Promise<EngineUnderTest>): void {
  const suite = openSuite(open);
  for (const each of [puttingSuite, truthSuite, filesSuite, findingSuite, limitsSuite, recordsSuite]) each(name, suite);
}
