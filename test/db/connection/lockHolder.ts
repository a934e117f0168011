import { lockDataDir } from "../../../src/db/connection/dataDirLock.js";
import { StartupError } from "../../../src/words/errors.js";

/**
 * A process that tries to take the data directory named by its argument, says how it went on its standard output, and lives on
 * until its standard input ends (which gives the directory back) or it is killed.
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
