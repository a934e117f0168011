import { lockDataDir } from "../../../src/db/connection/dataDirLock.js";
import { StartupError } from "../../../src/words/errors.js";

/**
 * A process that tries to take the data directory named by its argument, prints the outcome, and runs until its
 * standard input ends (which releases the directory) or it is killed.
 */
const [directory = ""] = process.argv.slice(2);
try {
  const release = await lockDataDir(directory);
  process.stdout.write("taken\n");
  process.stdin.resume().once("end", () => {
    void release();
  });
} catch (error) {
  process.stdout.write(`refused ${error instanceof StartupError ? error.message : String(error)}\n`);
}
